"""The demo world: invented people, prices and incomes on real places, loaded by command into an empty site."""
