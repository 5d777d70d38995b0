"""The README's worked example, lived through by the verbs: every figure it tells is found wherever it is shown."""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from catalog import lots
from catalog.lot_models import LotPayment
from catalog.models import LotContribution
from market import audit, clock, db, filings, money, sealing
from market.places import Division
from orders.delivering import returns
from orders.delivering.acceptance import Taken
from orders.evidence import making, subjects, verify
from orders.households import cards, years
from orders.income import checks, households, payouts, presence
from orders.openness import village
from orders.payouts import owed
from orders.reports.readers import WHOLE, find_place
from tests.trade import Trade
from tests.world import NOON, POMELO, TODAY, World

README = Path(__file__).parents[2] / "README.md"
FIRST, SECOND = "pomelo_home", "pomelo_next"


@dataclass(frozen=True)
class Lived:
    """Who took part: villages by key, households in the order of the README's table."""

    home: int
    next: int
    growers: list[int]
    order_id: int


@pytest.fixture(autouse=True)
def noon(app: Flask) -> Iterator[None]:
    app.extensions.update(sijin_checks=checks.CHECKS, sijin_presence=presence.things_of)
    with clock.at(NOON):
        yield


@pytest.fixture
def lived(world: World, trade: Trade) -> Lived:
    """One lot of two villages and five households: short, partly sent back, a wage, a collective's share, payouts."""
    home, following = world.villages[FIRST], world.villages[SECOND]
    growers = [*trade.members(POMELO, home)[:3], *trade.members(POMELO, following)[:2]]
    trade.agree_collective(POMELO, home, 300)
    taro = trade.product("香芋", POMELO, price_fen=480)
    lot = trade.lot(taro, farm_gate_fen=260, grams=[30_000, 20_000, 10_000, 25_000, 15_000], households=growers,
                    confirmed=False)
    proof = trade.proof()
    with db.transaction() as session:  # the first household has its money before anybody eats
        contribution = session.scalars(select(LotContribution.id).where(
            LotContribution.lot_id == lot, LotContribution.household_id == growers[0])).one()
        session.add(LotPayment(contribution_id=contribution, amount_fen=7_800, paid_on=TODAY, way="cash",
                               proof_id=proof, marked_by=world.person("clerk.lv").id, marked_at=clock.now()))
    with db.transaction():
        lots.confirm(lot, trade.confirmer_of(lot))
    order = trade.orders(trade.place({taro: 50_000}))[0]
    trade.ship(order.id)
    line = trade.lines(order.id)[0]
    trade.accept(order.id, [Taken(line.id, grams=47_300)])
    with db.transaction():
        returns.take_back(order.id, {line.id: 5_000}, "发软", world.person("store.wang"), world.person("chair.he"))
    trade.wage(POMELO, growers[1], 8_000)
    trade.pay(order.id, order.accepted_fen - order.returned_fen)
    owed = households.dues(world.organisation_id(POMELO), [following])
    with db.transaction():
        payouts.pay(following, "farm_gate", [(grower, owed[following, grower, "farm_gate"].unpaid_fen)
                                             for grower in growers[3:]], TODAY, proof, world.person("chair.he"),
                    world.person("township.yan"))
    return Lived(home, following, growers, order.id)


def table(heading: str) -> dict[str, list[int]]:
    """The README's table under a heading: fen by the first cell of each row."""
    text = README.read_text().split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    rows = {}
    for line in text.splitlines()[2:]:
        first, *cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        rows[first] = [money.parse_fen(cell.replace("−", "-")) if re.fullmatch(r"[−\d.]+", cell) else 0
                       for cell in cells]
    return rows


VILLAGE_ROWS = {  # the README's rows: columns of the village report
    "purchase amount": ("purchase_fen",), "sent back": ("returned_fen",), "accepted": ("purchase_fen", "returned_fen"),
    "received": ("received_fen",), "wages": ("wage_fen",), "collective share": ("collective_fen",),
    "total income": ("income_fen",),
}


def test_the_village_report_tells_the_readmes_figures(world: World, lived: Lived) -> None:
    told = table("In yuan")
    for sealed in (False, True):
        if sealed:
            sealing.seal_all()
        answer = world.logged_in("official.jin").get("/reports/village-income.json?period=2026-10").get_json()
        by_code = {row["code"]: row for row in answer["rows"]}
        rows = [*(by_code[code_of(village)] for village in (lived.home, lived.next)), answer["totals"]]
        for name, columns in VILLAGE_ROWS.items():
            assert [sum(row[column] for column in columns) for row in rows] == told[name], name
        gate, back = told["farm gate, earned"], told["farm gate, taken back"]
        assert [row["farm_gate_fen"] for row in rows] == [a - b for a, b in zip(gate, back, strict=True)]
    assert audit.check() == []


def test_every_household_has_what_the_readme_says(world: World, lived: Lived) -> None:
    told, villages = table("Household"), table("In yuan")
    entries = households.entries(villages=[lived.home, lived.next])

    def fen(event: str, kind: str | None = None, **of: int) -> int:
        return sum(one.amount_fen for one in entries if one.event == event and kind in (None, one.income_kind)
                   and all(getattr(one, name) == value for name, value in of.items()))

    for (name, row), household in zip(told.items(), lived.growers, strict=True):
        found = [fen("attributed", "farm_gate", household_id=household), fen("withdrawn", household_id=household),
                 fen("attributed", "wage", household_id=household), fen("paid_out", household_id=household)]
        assert [*found, found[0] - found[1] + found[2] - found[3]] == row, name
    for at, place in enumerate((lived.home, lived.next)):
        assert fen("attributed", "farm_gate", village_id=place) == villages["farm gate, earned"][at]
        assert fen("withdrawn", village_id=place) == villages["farm gate, taken back"][at]
        assert fen("paid_out", village_id=place) == villages["paid out to households"][at]


def code_of(village_id: int) -> str:
    return db.session().scalars(select(Division.code).where(Division.id == village_id)).one()


YEAR = years.year_of("2026-10")


def test_cards_report_and_what_is_owed_say_the_same(world: World, lived: Lived) -> None:
    told, client = table("Household"), world.logged_in("official.jin")
    answer = client.get("/reports/household-income.json?from=2026-10&to=2026-10").get_json()
    by_code = {row["code"]: row for row in answer["rows"]}
    unpaid_by = unpaid_of(lived)
    for row, household in zip(told.values(), lived.growers, strict=True):
        earned, back, wage, paid, unpaid = row
        card = cards.of_area(household, YEAR, world.person("official.jin"))
        assert (card.sums.by_kind["farm_gate"], card.sums.by_kind["wage"]) == (earned - back, wage)
        assert (card.sums.paid_fen, card.sums.unpaid_fen) == (paid, unpaid)
        assert sum(line.amount_fen for line in card.lines) == earned - back + wage
        shown = client.get(f"/office/households/{household}.csv?year={YEAR}").text
        assert money.yuan(earned - back + wage) in shown and money.yuan(paid) in shown
        in_report = by_code[card.code]
        assert (in_report["farm_gate_fen"], in_report["wage_fen"]) == (earned - back, wage)
        assert unpaid_by.get(household, 0) == unpaid
    assert answer["totals"]["gross_fen"] == sum(row[0] - row[1] + row[2] for row in told.values())


def unpaid_of(lived: Lived) -> dict[int | None, int]:
    """What the co-operative's own pages say is unpaid, by household."""
    found: dict[int | None, int] = {}
    for one in owed.of(villages=[lived.home, lived.next]):
        if one.income_kind != "collective":
            found[one.household_id] = found.get(one.household_id, 0) + one.earned_fen - one.paid_fen
    return found


def test_the_collectives_table_and_the_public_page_and_the_filed_month_agree(world: World, lived: Lived) -> None:
    told, client = table("In yuan"), world.logged_in("official.jin")
    collective = {row["code"]: row["platform_fen"] for row in client.get(
        "/reports/collective-income.json?period=2026-10").get_json()["rows"]}
    places = (lived.home, lived.next)
    assert [collective.get(code_of(place), 0) for place in places] == told["collective share"][:2]
    with clock.at(clock.shanghai(date(2026, 11, 2), 12)):
        with db.transaction():
            sealing.close_month("2026-10")
        with db.snapshot():
            filed = filings.rows_of(filings.render("2026-10"))
        for at, place in enumerate(places):
            row = filed["village", str(place)]
            assert int(row["accepted_fen"]) == told["accepted"][at]
            assert int(row["returned_fen"]) == told["sent back"][at]
            assert int(row["farm_gate_fen"]) == told["farm gate, earned"][at] - told["farm gate, taken back"][at]
            assert int(row["collective_fen"]) == told["collective share"][at]
            assert int(row["households_paid_fen"]) == told["paid out to households"][at]
            page = village.read([place])
            assert (page.purchase_fen, page.households) == (told["purchase amount"][at], None)  # fewer than five
            shown = world.app.test_client().get(f"/villages/{code_of(place)}").text
            assert money.yuan(told["purchase amount"][at]) in shown
            assert money.yuan(told["total income"][at]) not in shown
            assert money.yuan(told["farm gate, earned"][at]) not in shown
    assert audit.check() == []


def test_the_evidence_package_holds_the_same_and_proves_it(
        app: Flask, world: World, lived: Lived, tmp_path: Path) -> None:
    told, path = table("In yuan"), tmp_path / "package.zip"
    sealing.seal_all()
    subject = subjects.of_village(find_place(WHOLE, code_of(lived.home), "village"), 2026, None)
    made = making.make(subject, path, app.extensions["sijin"].files_dir, lambda _done, _whole: None)
    with zipfile.ZipFile(path) as package:
        figures = json.loads(package.read("figures.json"))["total"]
    assert {
        "accepted": figures["accepted_fen"], "sent back": figures["returned_fen"], "received": figures["received_fen"],
        "wages": figures["wage_fen"], "collective share": figures["collective_fen"],
        "paid out to households": figures["households_paid_fen"]} == {name: told[name][0] for name in (
            "accepted", "sent back", "received", "wages", "collective share", "paid out to households")}
    assert figures["farm_gate_fen"] == told["farm gate, earned"][0] - told["farm gate, taken back"][0]
    ran = subprocess.run([sys.executable, "-I", "-S", verify.__file__, str(path), "--expect", made.manifest_sha256],
                         capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
