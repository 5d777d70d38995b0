"""Imports: tables of goods, lots, members and designations, checked whole before anything of them is written."""
