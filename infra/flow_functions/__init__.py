"""The Lambdas: those of the flows, and one for each folder of the agents' functions."""
