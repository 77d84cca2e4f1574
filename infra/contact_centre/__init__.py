"""Our part of a Connect instance: streaming, hours, queues, prompts, the two flows, and who may invoke what."""
