"""A co-operative's members: what each traded with it, and the yearly surplus that goes back to them."""
