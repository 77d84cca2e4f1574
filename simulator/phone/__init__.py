"""The phone: `python -m simulator.phone` runs one whole call on this machine, in real time, and reports on it.

The flow is the JSON that is deployed, the Lambdas are the handlers that are deployed, each in a process of its
own, and the gateway is the process that is deployed. AWS, Connect and Deepgram are stood in for by servers on the
loopback that boto3's and websockets' own clients talk to.
"""
