"""Late payment: due dates, reminders, what it would cost, and goods that nobody has accepted."""
