"""The conversation as state machines without I/O: events and a time go in, commands come out."""
