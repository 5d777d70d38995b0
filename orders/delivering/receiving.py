"""What the receivers typed, made into what acceptance takes; every refusal at its own field."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from market import credentials, db, logins, money
from market.access import Visitor
from market.errors import N_, InvalidInput, MarketError, NotFound
from market.schemas import REQUIRED
from orders import pricing
from orders.delivering import lists
from orders.delivering.acceptance import ReasonMissing, Taken

Told = Mapping[str, Any]  # a loaded LineSchema


class TooHeavy(pricing.TooMuch):
    """More than ordered and more than the unit's tolerance, in kilograms."""

    text = N_("%(name)s: at most %(most)s kg may be accepted.")


def by_order(told: Sequence[Told], lines: Mapping[int, Any], tolerance: int) -> dict[int, list[Taken]]:
    """What is taken, by order id. Raises NotFound for a line of another delivery, InvalidInput with all refusals."""
    wrong: dict[str, list[str | MarketError]] = {}
    taken: dict[int, list[Taken]] = defaultdict(list)
    for number, one in enumerate(told):
        line = lines.get(one["line_id"])
        if line is None:
            raise NotFound()
        refusal = _refusal(one, line, tolerance)
        if refusal is not None:
            wrong[f"lines-{number}-{refusal[0]}"] = [refusal[1]]
        taken[line.order_id].append(_taken(one, line))
    if wrong:
        raise InvalidInput(wrong)
    if not taken:
        raise InvalidInput({"lines": [N_("Every good of the delivery must be accepted or refused.")]})
    return dict(taken)


def weigh(one: Told, line: Any, tolerance: int) -> pricing.Weighed | None:
    """How a line settles with what was typed, None while nothing was. Raises TooMuch, PriceRaised."""
    if not one.get("refused") and one.get(measure(line)) is None:
        return None
    taken = _taken(one, line)
    return pricing.weigh(
        pricing.Weighable(line.product_name, line.price_fen, line.ordered_milli, line.grams_per_unit, line.by_weight,
                          line.packed_milli),
        accepted_grams=taken.grams, accepted_milli=taken.milli, price_fen=taken.price_fen, tolerance_points=tolerance)


def measure(line: Any) -> str:
    """The field a line is measured in."""
    return "grams" if line.by_weight else "milli"


def _taken(one: Told, line: Any) -> Taken:
    name = measure(line)
    amount = 0 if one.get("refused") else one.get(name) or 0
    return Taken(line.id, **{name: amount}, price_fen=None if one.get("refused") else one.get("price_fen"),
                 reason=one.get("reason") or "", short_shipment_line_id=one.get("short_shipment_line_id"))


def _refusal(one: Told, line: Any, tolerance: int) -> tuple[str, str | MarketError] | None:
    """The field at fault and why."""
    try:
        weighed = weigh(one, line, tolerance)
    except (pricing.TooMuch, pricing.WeightUnlikely) as refusal:
        return measure(line), _on_the_scale(refusal, line)
    except pricing.PriceRaised as refusal:
        return "price_fen", refusal
    if weighed is None:
        return measure(line), REQUIRED
    if weighed.accepted_milli and not line.packed_milli:
        return measure(line), N_("A good that was not sent cannot be accepted.")
    if not one["reason"] and (not weighed.accepted_milli or weighed.price_fen < line.price_fen):
        return "reason", ReasonMissing(name=line.product_name)
    return None


def _on_the_scale(refusal: MarketError, line: Any) -> MarketError:
    """The same refusal in the kilograms that the scale shows, where goods are weighed."""
    if not line.by_weight or not isinstance(refusal, pricing.TooMuch):
        return refusal
    most = money.grams_of(money.parse_milli(refusal.details["most"]), line.grams_per_unit)
    return TooHeavy(name=line.product_name, most=money.plain_decimal(most))


def second_receiver(user_id: int, password: str, by: Visitor, address: str) -> Visitor:
    """The second receiver, who proves it with their own password; a wrong one is counted like a wrong login.

    Opens a transaction of its own, so that the count stays whatever becomes of the acceptance. Raises InvalidInput.
    """
    if user_id not in {person.id for person in lists.second_receivers(by)}:
        raise InvalidInput({"second_id": [N_("Please choose one of the list.")]})
    examined = credentials.examine_own(user_id, password)
    with db.transaction():
        right = credentials.settle(examined, address)
        if right:
            credentials.forget_failures(user_id)
    person = logins.visitor_of_login(logins.login_of(user_id), by.organisation_id)
    if not right or person is None:
        raise InvalidInput({"second_password": [
            N_("This is not the second receiver's password. After five wrong tries it stays locked for 15 minutes.")]})
    return person
