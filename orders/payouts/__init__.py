"""到户: what households are owed, their bank accounts, payment runs, and the village that confirms what came."""
