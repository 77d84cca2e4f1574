"""One machine instead of a cloud: stand-ins for Connect, Kinesis Video Streams, Deepgram and a caller."""
