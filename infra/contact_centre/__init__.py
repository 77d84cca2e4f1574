"""Our part of a Connect instance: streaming, hours, queues, prompts, the flows, and who may invoke what."""
