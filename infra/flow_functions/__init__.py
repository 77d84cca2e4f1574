"""The Lambdas: four for the flow, and one for each function of the agents."""
