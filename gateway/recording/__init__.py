"""Recorded calls: everything that a call asks of the world and gets from it, to be played again as a test.

Off unless RECORDINGS_DIR is set: a recording holds what was said, typed and looked up.
"""
