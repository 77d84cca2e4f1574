"""`make doctor LIVE=1`: what only a call can show, measured during one."""
