"""Public open data: months that are over as CSV and JSON for machines, with schemas and a feed for collectors."""
