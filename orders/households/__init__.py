"""收入卡: what each household's income through this platform was, October to September, and the register behind it."""
