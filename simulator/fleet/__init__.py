"""Many calls at once through real gateway processes: the load, what it leaves behind, and what may happen to it."""
