"""A stand-in for the Deepgram Voice Agent API: a core without I/O, a server around it, and agents to plug in."""
