"""Delivery terms: where a co-operative delivers, when, from which amount on, and what the way costs."""
