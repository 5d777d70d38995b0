"""What an audit finds, in words a person reads."""

from collections.abc import Callable
from typing import Any

from market.errors import in_english


class Problem:
    """Something that does not agree; `text` is an English sentence with %(names)s for its details."""

    def __init__(self, text: str, **details: Any) -> None:
        self.text = text
        self.details = details

    def message(self, translate: Callable[..., str] = in_english) -> str:
        """The sentence a person reads; `translate` is the reader's gettext."""
        return translate(self.text, **self.details)

    def __repr__(self) -> str:
        return f"Problem({self.message()!r})"
