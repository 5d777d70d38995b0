"""Ordering faster than by phone call: last week again, weekly lists, a text as it stands in a chat."""
