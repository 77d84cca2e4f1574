"""Samples of what can follow from a call: subscribers of the events `call.handed_over` and `call.ended`.

EventBridge invokes them at least once. One that raises is invoked again, twice, and then lands in its dead-letter
queue (AWS Lambda developer guide, asynchronous invocation), so neither does its work a second time for an event.
"""
