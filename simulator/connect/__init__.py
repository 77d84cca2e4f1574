"""A stand-in for Amazon Connect: an interpreter of flow language 2019-10-30 without I/O, and the shells around it.

`core.Contact` is driven by events and the time; `shell.ContactShell` drives it on asyncio, in real time or on
a clock that jumps; `lambdas` invokes handlers, `http` answers boto3's clients.
"""
