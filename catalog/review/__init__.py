"""How goods come in: what is checked by itself, what the county looks at, and what prices are compared with."""
