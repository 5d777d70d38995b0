"""Demand: buying, delivering, paying, income and reports."""
