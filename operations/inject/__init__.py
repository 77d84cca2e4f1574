"""Bringing a sentence or a note into a live call."""
