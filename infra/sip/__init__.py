"""What calls over SIP need: a way in for signalling and media, and the rights that go with it. Off by default."""
