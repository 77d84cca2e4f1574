"""`make explain CONTACT=...`: one call's story from the records: who took it, what happened, why it ended."""
