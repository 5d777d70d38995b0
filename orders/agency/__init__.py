"""代理记账: one accountant for many co-operatives, and the chairman who confirms what was prepared."""
