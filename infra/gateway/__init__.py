"""The gateway as an ECS service on Fargate."""
