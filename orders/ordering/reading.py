"""A text read for a unit: each piece as a line with the goods it may mean, or named in its own words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog import search
from market.errors import N_, InvalidInput, MarketError
from orders.ordering import amounts, parsing
from orders.ordering.parsing import Piece
from orders.ordering.shelf import Good, Shelf, even

TOO_LONG = N_("At most 20,000 characters at once.")
TOO_MANY = N_("At most 200 goods at once.")


class Unknown(MarketError):
    """No good on sale is called so."""

    status = 422
    code = "unknown_word"
    text = N_("No goods on sale are called “%(word)s”.")


class NoName(MarketError):
    """A quantity without a good."""

    status = 422
    code = "no_name"
    text = N_("“%(said)s”: of which goods?")


class NoQuantity(MarketError):
    """A good without a quantity."""

    status = 422
    code = "no_quantity"
    text = N_("How much of it?")


class Unclear(MarketError):
    """A number that may be read in two ways, as 1,000 or 50-60."""

    status = 422
    code = "unclear_number"
    text = N_("“%(said)s”: this number is not clear. Please type it as plain digits.")


@dataclass(frozen=True)
class Choice:
    """A good that is meant, and how much of it in thousandths of its unit; None with the reason why not."""

    good: Good
    milli: int | None
    refusal: MarketError | None


@dataclass(frozen=True)
class Understood:
    """A piece whose good is known, or one of a few: the first choice is what the unit usually means.

    `renamed` is what somebody typed for a word that nobody knew.
    """

    piece: Piece
    choices: Sequence[Choice]
    renamed: str = ""


@dataclass(frozen=True)
class NotUnderstood:
    """A piece in its own words, and what is wrong with it."""

    piece: Piece
    refusal: MarketError


@dataclass(frozen=True)
class Reading:
    """All of a text, in its order."""

    understood: Sequence[Understood]
    unknown: Sequence[NotUnderstood]


def read(text: str, unit_id: int, reader: search.Reader, renames: Mapping[str, str] | None = None) -> Reading:
    """What a text asks for; `renames` says by word what to look for instead. Raises InvalidInput for too long ones."""
    if len(text) > parsing.LONGEST_TEXT:
        raise InvalidInput({"text": [TOO_LONG]})
    asked = parsing.items(parsing.parse(text))
    if len(asked) > parsing.MOST_PIECES:
        raise InvalidInput({"text": [TOO_MANY]})
    others = {even(word): name for word, name in (renames or {}).items() if name.strip()}
    shelf = Shelf((reading for piece in asked for reading in _readings(piece, others)), unit_id, reader)
    understood: list[Understood] = []
    unknown: list[NotUnderstood] = []
    for piece in asked:
        goods = next((goods for word in _readings(piece, others) if (goods := shelf.candidates(word))), [])
        if goods:
            choices = [_choice(good, piece) for good in goods]
            understood.append(Understood(piece, choices, others.get(even(piece.word), "")))
        else:
            unknown.append(NotUnderstood(piece, Unknown(word=piece.word) if piece.word
                                         else NoName(said=piece.text.strip())))
    return Reading(understood, unknown)


def _readings(piece: Piece, renames: Mapping[str, str]) -> Sequence[str]:
    renamed = renames.get(even(piece.word)) if piece.word else None
    return (renamed,) if renamed else piece.readings


def _choice(good: Good, piece: Piece) -> Choice:
    if piece.is_unclear:
        return Choice(good, None, Unclear(said=piece.text.strip()))
    if piece.milli is None:
        return Choice(good, None, NoQuantity())
    try:
        return Choice(good, amounts.milli_of(piece.milli, piece.unit, good.sold), None)
    except (amounts.OtherUnit, amounts.NotExpressible) as refusal:
        return Choice(good, None, refusal)


def plain(reading: Reading) -> dict[str, Any]:
    """A reading as a program takes it."""
    return {
        "lines": [{
            "text": line.piece.text.strip(), "word": line.piece.word, "candidates": [{
                "product_id": choice.good.id, "name": choice.good.name, "supplier": choice.good.supplier,
                "unit": choice.good.sold.unit, "price_fen": choice.good.price_fen, "ordered_milli": choice.milli,
                "ordered_before": bool(choice.good.at), "problem": choice.refusal,
            } for choice in line.choices]} for line in reading.understood],
        "not_understood": [{"text": line.piece.text.strip(), "word": line.piece.word, "problem": line.refusal}
                    for line in reading.unknown],
    }
