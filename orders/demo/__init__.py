"""The marked demo world."""
