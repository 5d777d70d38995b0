"""Standing orders: a plan by weekday that orders by itself, once for each of its days."""
