"""Refusals: each a class that knows its status and can speak the reader's language."""

from collections.abc import Callable
from typing import Any


def N_(text: str) -> str:
    """Marks words for translation where they are written; they are translated where they are read."""
    return text


def in_english(text: str, **details: Any) -> str:
    """A sentence as it was written, with its details in place."""
    return text % details


class MarketError(Exception):
    """A request that is understood and refused; nothing has changed."""

    status = 400
    code = "refused"
    text = N_("This cannot be done.")

    def __init__(self, **details: Any) -> None:
        super().__init__(self.text % details if details else self.text)
        self.details = details

    def message(self, translate: Callable[..., str] = in_english) -> str:
        """The sentence a person reads; `translate` is the reader's gettext."""
        return translate(self.text, **self.details)

    def field_messages(self, translate: Callable[..., str] = in_english) -> dict[str, list[str]]:
        """Messages by input field, where the refusal is about fields."""
        return {}


class InvalidInput(MarketError):
    """Some fields hold what they may not hold."""

    status = 422
    code = "invalid"
    text = N_("Please look at the marked fields.")

    def __init__(self, fields: dict[str, list["str | MarketError"]]) -> None:
        super().__init__()
        self.fields = fields

    def field_messages(self, translate: Callable[..., str] = in_english) -> dict[str, list[str]]:
        return {
            name: [m.message(translate) if isinstance(m, MarketError) else translate(m) for m in messages]
            for name, messages in self.fields.items()
        }


class NotFound(MarketError):
    """There is no such thing, or none that this person may know of: both answer alike."""

    status = 404
    code = "not_found"
    text = N_("There is nothing at this address, or it is not yours to see.")


class NotAllowed(MarketError):
    """This person's role does not cover the act."""

    status = 403
    code = "not_allowed"
    text = N_("Your role does not allow this.")


class SecondPersonNeeded(MarketError):
    """Four eyes: the act needs somebody else than the one who began it."""

    status = 409
    code = "second_person"
    text = N_("A second person must do this: you already took the first step.")


class Conflict(MarketError):
    """The thing is not, or no longer, in a state that allows the act."""

    status = 409
    code = "conflict"
    text = N_("This has already been done, or it is too late for it.")
