"""What survives a gateway: the table, the queue of wake-ups, the clips, the key of Deepgram."""
