"""通报: the progress notice of a week or month, drafted, open to the counties, published and kept for ever."""
