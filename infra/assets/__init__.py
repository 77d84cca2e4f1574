"""What goes up with a deployment: code for Lambdas and the gateway's image, and the sounds of the flows."""
