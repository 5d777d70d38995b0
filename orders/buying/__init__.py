"""Buying: the cart, placing a purchase, its approval, cancelling."""
