"""Linkages and declared income on pages: a co-operative enters them, the village confirms, offices count."""
