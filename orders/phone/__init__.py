"""Phone orders: the co-operative types what the canteen said, the canteen confirms."""
