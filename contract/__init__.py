"""What the contact flow, the Lambdas and the gateway agree on: calls, actions, turns, handover, the store.

It imports nothing else of this project and nothing outside the standard library and boto3, because the
Lambdas carry it into a runtime that has no more than that.
"""
