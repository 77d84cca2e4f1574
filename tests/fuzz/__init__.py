"""Fuzzing: whatever bytes come from outside, our own typed errors and nothing else; no hang, no growing memory."""
