"""`make cost`: what a month costs, from calls per month and minutes per call."""
