"""Buying units: their tree, their people, their doors, and how a new one is let in."""
