"""Delivering: packing, the van, acceptance by two people, returns."""
