"""Subscribers of `call.ended` and `call.handed_over`: samples to use or to change. None by default."""
