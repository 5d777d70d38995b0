"""Signals from trade that a household or village may fall back: found every night, handled by offices, never public."""
