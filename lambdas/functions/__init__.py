"""Functions of the sample agents. Replace them with your own: a folder with a handler.py is a Lambda.

docs/functions.md says how to write one. A Lambda has access to nothing of this project but `lambdas.sdk`.
"""
