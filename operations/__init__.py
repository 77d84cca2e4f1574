"""What the people around a deployment run: `doctor`, `explain` and `cost`. Nothing that answers a call imports it."""
