"""Four eyes over what a unit buys: steps by amount, tender limits, changes of orders, partial deliveries."""
