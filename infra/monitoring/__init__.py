"""What an operator sees: one dashboard, and alarms that say what to do."""
