"""What the receivers typed, made into what acceptance takes; every refusal at its own field."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from market import credentials, db, logins, money, own_pin
from market.access import Visitor
from market.errors import N_, InvalidInput, MarketError, NotFound
from market.schemas import REQUIRED
from orders import pricing
from orders.delivering import exceptions, lists, reasons
from orders.delivering.acceptance import ReasonMissing, Taken, safe_amounts

WRONG_PASSWORD = N_("This is not the second receiver's password. After five wrong tries it stays locked for 15 "
                    "minutes.")
WRONG_PIN = N_("This is not the second receiver's PIN. After five wrong tries it stays locked for 15 minutes.")

Told = Mapping[str, Any]  # a loaded LineSchema


class TooHeavy(pricing.TooMuch):
    """More than ordered and more than the unit's tolerance, in kilograms."""

    text = N_("%(name)s: at most %(most)s kg may be accepted.")


class PhotoMissing(MarketError):
    """What is refused, reduced or over must be seen afterwards."""

    status = 422
    code = "photo_missing"
    text = N_("%(name)s: please take a photo of what is refused, reduced or too much.")


def by_order(values: Told, lines: Mapping[int, Any], tolerance: int, photographed: Collection[int] = (),
             refused: Mapping[str, list[Any]] | None = None) -> dict[int, list[Taken]]:
    """What is taken, by order id, out of a loaded AcceptanceSchema; `photographed` are places of lines with a photo.

    Raises NotFound for a line of another delivery, InvalidInput with all refusals, `refused` among them.
    """
    told: Sequence[Told] = values["lines"]
    wrong: dict[str, list[str | MarketError]] = {}
    taken: dict[int, list[Taken]] = defaultdict(list)
    for number, one in enumerate(told):
        line = lines.get(one["line_id"])
        if line is None:
            raise NotFound()
        refusal = _refusal(one, line, tolerance, number in photographed)
        if refusal is not None and f"lines-{number}-{refusal[0]}" not in (refused or {}):
            wrong[f"lines-{number}-{refusal[0]}"] = [refusal[1]]
        taken[line.order_id].append(_taken(one, line))
    kinds = exceptions.cold_kinds(taken, lines)
    wrong |= {**(refused or {}), **exceptions.wrong_with(values, kinds), **exceptions.papers_unsaid(values)}
    if wrong:
        raise InvalidInput(wrong)
    if not taken:
        raise InvalidInput({"lines": [N_("Every good of the delivery must be accepted or refused.")]})
    return {order_id: [replace(one, temperature_tenths=exceptions.measured(values, kinds.get(one.line_id)))
                       for one in some] for order_id, some in taken.items()}


def weigh(one: Told, line: Any, tolerance: int) -> pricing.Weighed | None:
    """How a line settles with what was typed, None while nothing was. Raises TooMuch, PriceRaised."""
    if not one.get("refused") and one.get(measure(line)) is None:
        return None
    return settled(_taken(one, line), line, tolerance)


def settled(taken: Taken, line: Any, tolerance: int) -> pricing.Weighed:
    """How a line settles. Raises TooMuch, WeightUnlikely, PriceRaised."""
    return pricing.weigh(
        pricing.Weighable(line.product_name, line.price_fen, line.ordered_milli, line.grams_per_unit, line.by_weight,
                          line.packed_milli),
        accepted_grams=taken.grams, accepted_milli=taken.milli, price_fen=taken.price_fen, tolerance_points=tolerance)


@dataclass(frozen=True)
class LineState:
    """How a line stands on the screen: its outcome where it can be reckoned, whether it is as on the delivery note."""

    outcome: str | None
    as_noted: bool
    touched: bool  # somebody said something else than the note


def noted(line: Any, boxes: Sequence[Any]) -> int:
    """What the delivery note says of a line in its measure, without recalled lots: grams, or thousandths by count."""
    milli, grams = safe_amounts(boxes)
    return grams if line.by_weight else milli


def state_of(said: Told | None, line: Any, boxes: Sequence[Any], tolerance: int) -> LineState:
    """`said` is a loaded LineSchema, none where nobody typed anything yet, empty where it could not be read."""
    note = noted(line, boxes)
    told = {measure(line): note} if said is None else said
    try:
        weighed = weigh(told, line, tolerance)
    except MarketError:
        weighed = None
    is_plain = not any(told.get(name) for name in ("refused", "reason", "price_fen", "short_shipment_line_id"))
    as_noted = is_plain and told.get(measure(line)) == note
    return LineState(weighed.outcome if weighed else None, as_noted, not as_noted)


def measure(line: Any) -> str:
    """The field a line is measured in."""
    return "grams" if line.by_weight else "milli"


def _taken(one: Told, line: Any) -> Taken:
    name = measure(line)
    amount = 0 if one.get("refused") else one.get(name) or 0
    weight, count = (amount, None) if name == "grams" else (None, amount)
    return Taken(line.id, weight, count, price_fen=None if one.get("refused") else one.get("price_fen"),
                 reason=one.get("reason") or "", short_shipment_line_id=one.get("short_shipment_line_id"))


def _refusal(one: Told, line: Any, tolerance: int, has_photo: bool) -> tuple[str, str | MarketError] | None:
    """The field at fault and why."""
    try:
        weighed = weigh(one, line, tolerance)
    except pricing.PriceRaised as refusal:
        return "price_fen", refusal
    except (pricing.TooMuch, pricing.WeightUnlikely) as refusal:
        return measure(line), _on_the_scale(refusal, line)
    if weighed is None or (weighed.accepted_milli and not line.packed_milli):
        return measure(line), N_("A good that was not sent cannot be accepted.") if weighed else REQUIRED
    if not one["reason"] and (not weighed.accepted_milli or weighed.price_fen < line.price_fen):
        return "reason", ReasonMissing(name=line.product_name)
    photo = None if has_photo else photo_missing(weighed, line, one["reason"])
    return ("photo", photo) if photo else None


def photo_missing(weighed: pricing.Weighed, line: Any, reason: str) -> PhotoMissing | None:
    """The refusal of a line that needs a photo and has none."""
    needed = reasons.needs_photo(line.packed_milli or 0, weighed.accepted_milli, line.ordered_milli, reason,
                                 reduced=weighed.price_fen < line.price_fen)
    return PhotoMissing(name=line.product_name) if needed else None


def lines_without_photo(taken: Sequence[Taken], lines: Mapping[int, Any], tolerance: int) -> dict[int, PhotoMissing]:
    """The places of lines that need a photo and name none; what cannot be weighed is refused elsewhere."""
    missing = {}
    for number, one in enumerate(taken):
        line = lines.get(one.line_id)
        try:
            weighed = settled(one, line, tolerance) if line else None
        except MarketError:
            continue
        if weighed and not one.photo_ids and (refusal := photo_missing(weighed, line, one.reason)):
            missing[number] = refusal
    return missing


def _on_the_scale(refusal: MarketError, line: Any) -> MarketError:
    """The same refusal in the kilograms that the scale shows, where goods are weighed."""
    if not line.by_weight or not isinstance(refusal, pricing.TooMuch):
        return refusal
    most = money.grams_of(money.parse_milli(refusal.details["most"]), line.grams_per_unit)
    return TooHeavy(name=line.product_name, most=money.plain_decimal(most))


def second_receiver(user_id: int, proof: str, by: Visitor, address: str) -> Visitor:
    """The second person, who proves it with their own PIN, or with their password while they have set no PIN.

    A wrong one is counted like a wrong login, in a transaction of its own, so that the count stays whatever becomes
    of the acceptance. Raises InvalidInput.
    """
    chosen = next((person for person in lists.second_receivers(by) if person.id == user_id), None)
    if chosen is None:
        raise InvalidInput({"second_id": [N_("Please choose one of the list.")]})
    room: Any = own_pin if chosen.has_pin else credentials
    examined = own_pin.examine(user_id, proof) if chosen.has_pin else credentials.examine_own(user_id, proof)
    with db.transaction():
        right = room.settle(examined, address)
        if right:
            credentials.forget_failures(user_id)
    person = logins.visitor_of_login(logins.login_of(user_id), by.organisation_id)
    if not right or person is None:
        raise InvalidInput({"second_password": [WRONG_PIN if chosen.has_pin else WRONG_PASSWORD]})
    return person
