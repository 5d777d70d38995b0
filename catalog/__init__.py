"""Supply: co-operatives' goods, lots, stock, prices, search and the shop front."""
