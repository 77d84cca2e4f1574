"""Connect's side of a transfer over SIP: what a voice connector does, written apart from the gateway's own SIP."""
