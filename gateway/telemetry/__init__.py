"""What the gateway tells those who run it: never what was said, typed or looked up."""
