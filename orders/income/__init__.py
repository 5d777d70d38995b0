"""Income: what is posted for whom, declarations, payouts, and what the audit expects."""
