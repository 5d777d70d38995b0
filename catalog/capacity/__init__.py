"""Capacity: what a village can grow of a good in a season, approved by the county; sales and lots stay within it."""
