"""After the goods have been taken: returns, replacements, complaints, ratings, the unit an order counts for."""
