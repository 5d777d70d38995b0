"""一单一档: what happened to a village's money in a year, as one file that proves itself without this site."""
