"""A stand-in for Kinesis Video Streams, as far as Amazon Connect and GetMedia use it."""
