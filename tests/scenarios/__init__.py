"""Whole calls in one process on the jumping clock: real flow, real Lambdas, real gateway; AWS, Connect and Deepgram
stood in for by the same cores that the servers wrap."""
