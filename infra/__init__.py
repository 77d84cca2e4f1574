"""What `cdk deploy` makes: one stack for each deployment, folders by capability, put together in `infra.stack`."""
