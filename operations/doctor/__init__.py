"""`make doctor`: line by line what of a deployment is good, what is missing, and how to mend it.

A check is a function that is given the deployment, typed clients and the stack, and yields findings. It asks and
never changes anything. Before a deploy, what is not there yet is not a fault.
"""
