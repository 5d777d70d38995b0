"""Numbers people read aloud: a letter, the day, seven characters nobody can guess. Letters keep spreadsheets from
turning them into figures."""

import secrets
from datetime import date

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new(letter: str, day: date) -> str:
    """A fresh number such as 'C261123-7KQ2M9X'."""
    return f"{letter}{day:%y%m%d}-" + "".join(secrets.choice(ALPHABET) for _ in range(7))
