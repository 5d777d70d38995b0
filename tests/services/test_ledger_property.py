"""Whatever is posted, sealed in whatever pieces, with whatever months closed: figures are the plain sum of the rows."""

from collections import defaultdict
from datetime import date
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from market import audit, clock, db, figures, ledger, ledger_frame, sealing
from market.ledger import INCOME_EVENTS, INCOME_KINDS, RULES, Transfer
from market.village_months import FIGURES
from tests.attacker import DERIVED, attack
from tests.bare_ledger import by_itself
from tests.world import World

DAYS = (date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 31), date(2026, 11, 1), date(2026, 12, 31))
MONTHS = ("2026-09", "2026-10", "2026-11")
FIRST, LAST = "2026-01", "2027-12"


@pytest.fixture(autouse=True)
def bare_ledger(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    by_itself(app, monkeypatch)


@st.composite
def movements(draw: Any) -> dict[str, Any]:
    """One posting that RULES allows, forward or backward, in one of three villages or none."""
    event = draw(st.sampled_from(sorted(RULES)))
    sides = draw(st.sampled_from(RULES[event]))
    kind = None
    if event in INCOME_EVENTS:
        kinds = ("collective",) if "collective" in sides else tuple(k for k in INCOME_KINDS if k != "collective")
        kind = draw(st.sampled_from(kinds))
    return {
        "event": event, "sides": sides[::-1] if draw(st.booleans()) else sides, "income_kind": kind,
        "amount_fen": draw(st.integers(1, 10**12)), "grams": draw(st.integers(0, 10**9)),
        "village": draw(st.sampled_from((None, "pomelo_home", "pomelo_next", "greens_home"))),
        "day": draw(st.sampled_from(DAYS)), "certified": draw(st.booleans()),
        "order_ref": draw(st.sampled_from((None, "D1", "D2"))),
    }


# a step posts some movements, seals at most so many rows, or closes a month
steps = st.lists(
    st.one_of(st.lists(movements(), min_size=1, max_size=6), st.integers(1, 7), st.sampled_from(MONTHS)), max_size=12
)


class PlainBooks:
    """The same told in a few lines of Python, without the database."""

    def __init__(self) -> None:
        self.closed: set[str] = set()
        self.waiting: list[dict[str, Any]] = []
        self.sealed: list[tuple[str, dict[str, Any]]] = []

    def seal(self, count: int) -> None:
        self.sealed += [(self.month(movement), movement) for movement in self.waiting[:count]]
        self.waiting = self.waiting[count:]

    def month(self, movement: dict[str, Any]) -> str:
        months = clock.months_between(clock.period_of(movement["day"]), LAST)
        return next(month for month in months if month not in self.closed)

    def sums(self) -> dict[tuple[str, str], dict[str, int]]:
        sums: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(FIGURES, 0))
        for month, movement in [*self.sealed, *((self.month(movement), movement) for movement in self.waiting)]:
            if movement["village"]:
                for column, value in plain_figures(movement):
                    sums[movement["village"], month][column] += value
        return dict(sums)

    def orders(self) -> set[str]:
        return {m["order_ref"] for m in [*self.waiting, *(m for _month, m in self.sealed)]
                if m["village"] and m["event"] == "accepted" and m["order_ref"]}


def plain_figures(movement: dict[str, Any]) -> list[tuple[str, int]]:
    """What a movement feeds, told apart from the table in the code."""
    event, kind = movement["event"], movement["income_kind"]
    sign = 1 if movement["sides"] in RULES[event] else -1
    fen, grams = sign * movement["amount_fen"], sign * movement["grams"]
    if event in {"accepted", "returned"}:
        certified = [("certified_fen", fen if event == "accepted" else -fen)] if movement["certified"] else []
        return [(f"{event}_fen", fen), (f"{event}_grams", grams), *certified]
    if event in {"allowance", "received", "refunded"}:
        return [(f"{event}_fen", fen)]
    if event == "paid_out":
        return [("collective_paid_fen" if kind == "collective" else "households_paid_fen", fen)]
    if event in {"fee", "freight"}:  # of no village
        return []
    return [(f"{kind}_fen", fen if event == "attributed" else -fen)]


def transfer_of(number: int, movement: dict[str, Any], world: World) -> Transfer:
    village = world.villages[movement["village"]] if movement["village"] else None
    numbers = {"unit": 1, "supplier": 3, "due": 3}
    debit, credit = (
        kind if kind == "fees" else f"{kind}:{numbers.get(kind, village or 0)}" for kind in movement["sides"]
    )
    return Transfer(movement["event"], f"step:{number}", debit, credit, movement["amount_fen"], movement["day"],
                    village_id=village, grams=movement["grams"], certified=movement["certified"],
                    income_kind=movement["income_kind"], order_ref=movement["order_ref"])


# steps are few and small: shrinking a failure for minutes, each try a database, tells little more
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture],
          phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(steps=steps)
def test_figures_are_the_sum_of_the_rows(world: World, steps: list[Any]) -> None:
    empty_the_ledger()
    books, number = PlainBooks(), 0
    for step in steps:
        if isinstance(step, int):
            sealing.seal(limit=step)
            books.seal(step)
        elif isinstance(step, str):
            if step not in books.closed:
                with db.transaction():
                    sealing.close_month(step)
                books.seal(len(books.waiting))
                books.closed.add(step)
        else:
            with db.transaction():
                ledger.post([transfer_of(number + i, movement, world) for i, movement in enumerate(step)])
            number += len(step)
            books.waiting += step
        compare(books, world)
    assert audit.check(heads_file=ledger_frame.heads_file()) == []


def compare(books: PlainBooks, world: World) -> None:
    name = {village: key for key, village in world.villages.items()}
    with db.snapshot():
        shown = figures.village_figures(FIRST, LAST, by_period=True)
        whole = figures.village_figures(FIRST, LAST)
        orders = figures.presence_counts(FIRST, LAST).get("order", 0)
    right = books.sums()
    assert {(name[row["village_id"]], row["period"]): {c: row[c] for c in FIGURES} for row in shown} == right
    assert figures.total_of(whole) == {c: sum(sums[c] for sums in right.values()) for c in FIGURES}
    assert orders == len(books.orders())


def empty_the_ledger() -> None:
    """Examples share one database."""
    attack(*DERIVED, *(f"DELETE FROM {table}" for table in ("ledger_transfer", "ledger_block", "ledger_period")))
    ledger_frame.heads_file().unlink(missing_ok=True)
