"""Papers of trade: contracts, notes and sheets as PDF, frame contracts, monthly statements, invoices."""
