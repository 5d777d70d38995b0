"""Whoever reads all that is public, month after month, in every form, and subtracts, learns nothing of few households.

The attacker collects the public report for every place and month, in each of its forms, village pages, pages of goods
and traces; he even knows to the fen what was bought. Behind a village's month with fewer than five households he finds
no income, behind a month in which fewer than five were paid no payout. With one guard taken away he does.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from catalog.models import Lot, Product
from market import clock, db, sealing
from market.places import Division
from market.sealing import TRANSFERS
from orders.income import households, payouts, presence
from orders.reports import disclosure, village_income
from orders.reports.frame import Row
from tests.differences import Atoms, Knowledge
from tests.trade import Trade
from tests.world import GREENS, POMELO, World

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)  # sums are the same on both
REPORT = "/reports/village-income"
MONTHS = ("2026-07", "2026-08", "2026-09", "2026-10")
# product, its co-operative and village: how many households brought its goods in each of the months
GROWERS = {
    ("白菜", GREENS, "greens_home"): (6, 6, 6, 2), ("香芋", POMELO, "pomelo_home"): (6, 7, 6, 8),
    ("香柚", POMELO, "pomelo_next"): (5, 3, 6, 5), ("生姜", POMELO, "pomelo_home"): (0, 0, 6, 0),
}
SHARES = re.compile(
    r'<th scope="row"[^>]*>([^<]+)</th>(?:(?!</tr>).)*?<strong><span class="quantity">([0-9]+)[.]0%', re.S)
MONEY = re.compile(r'<span class="money">.*?</span>([0-9,.]+)</span>', re.S)


@dataclass
class Notes:
    """What the attacker has written down: rows and totals of reports by (month, place), and shares as time goes by."""

    reports: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    shares: dict[tuple[str, str], int] = field(default_factory=dict)  # month of the visit, co-operative: percent


def at(month: str, day: int = 12) -> datetime:
    return datetime(int(month[:4]), int(month[5:]), day, 4, 0, tzinfo=UTC)


@pytest.fixture
def visits(app: Flask, world: World, trade: Trade, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Four months of trade; at the beginning of each next month `visit(client)` is called, by whom the test says."""
    app.extensions["sijin_presence"] = presence.things_of
    with clock.at(at(MONTHS[0], 1)):
        goods = {key: trade.product(key[0], key[1], price_fen=333) for key in GROWERS}

    def live(visit: Any) -> None:
        for number, month in enumerate(MONTHS):
            with clock.at(at(month)):
                a_month(trade, world, goods, number)
                sealing.seal_all()
            with clock.at(at(clock.months_before(month, -1), 2)):
                app.extensions["sijin_pages"].clear()
                visit()

    yield live


def a_month(trade: Trade, world: World, goods: Mapping[tuple[str, str, str], int], number: int) -> None:
    """Four orders of each good, all of it paid out to its growers; one household's wage among few growers."""
    for (_name, supplier, village), product in goods.items():
        growers = trade.members(supplier, world.villages[village])[:GROWERS[_name, supplier, village][number]]
        if growers:
            trade.lot(product, 12, households=list(growers), village=village, farm_gate_fen=170 + number)
            for kilos in (2, 3, 3, 4):
                order = trade.orders(trade.place({product: kilos * 1_000}))[0]
                trade.ship(order.id)
                trade.accept(order.id)
    if number == 1:
        trade.wage(POMELO, trade.members(POMELO, world.villages["pomelo_next"])[0], 2_345, month=MONTHS[number])
    for supplier, village in {(supplier, village) for _name, supplier, village in goods}:
        hand_on(trade, world, supplier, world.villages[village])


def hand_on(trade: Trade, world: World, supplier: str, village: int) -> None:
    chair, proof = trade.chair_of(world.organisation_id(supplier)), trade.proof()
    owed: defaultdict[str, list[tuple[int | None, int]]] = defaultdict(list)
    for (_village, household, kind), due in households.dues(chair.organisation_id or 0, [village]).items():
        if due.unpaid_fen > 0:
            owed[kind].append((household, due.unpaid_fen))
    for kind, lines in owed.items():
        with db.transaction():
            payouts.pay(village, kind, lines, clock.today(), proof, chair, trade.officer_of(village))


# ---- what he reads --------------------------------------------------------------------------------------------------


def places_of(world: World) -> dict[str, str]:
    """Every filter of the public report: by name of the place, what stands in the address."""
    filters = {"": ""}
    for village in world.villages.values():
        row = db.session().get_one(Division, village)
        for level, key in (("county", row.county_id), ("township", row.township_id), ("village", row.id)):
            code = db.session().get_one(Division, key).code
            filters[code] = f"&{level}={code}"
    return filters


def read_all(world: World, client: FlaskClient, notes: Notes) -> None:
    """One visit: every month that is over for every place, in every form; every public page of village, good, lot."""
    newest = disclosure.newest_month()
    for month in MONTHS:
        for place, asked in places_of(world).items():
            answer = client.get(f"{REPORT}.json?period={month}{asked}")
            assert answer.status_code == (200 if month <= newest else 422), (month, place)
            if month <= newest:
                told = answer.get_json()
                earlier = notes.reports.setdefault((month, place), told)
                assert [earlier[key] for key in ("rows", "totals")] == [told[key] for key in ("rows", "totals")]
    for month in MONTHS[1::2] if newest == MONTHS[-1] else ():
        the_same_in_every_form(client, month)
    for village in world.villages.values():
        html = client.get(f"/villages/{db.session().get_one(Division, village).code}").text
        notes.shares.update({(newest, supplier): int(percent) for supplier, percent in SHARES.findall(html)})
        amounts = {int(text.replace(",", "").replace(".", "")) for text in MONEY.findall(html)}
        assert amounts <= {0, 333, 167} | bought_in(village)
    for path in pages_of_goods():
        html = client.get(path).text
        assert set(MONEY.findall(html)) <= {"3.33", "1.67"}, path
        assert "/trace/" not in path or "¥" not in html


def the_same_in_every_form(client: FlaskClient, month: str) -> None:
    """CSV, XLSX, the page in every order and the print-out say nothing that JSON does not."""
    told = client.get(f"{REPORT}.json?period={month}").get_json()
    keys = [column["key"] for column in told["columns"]]
    kinds = {column["key"]: column["kind"] for column in told["columns"]}
    hidden = [row["village"] for row in told["rows"] if row["income_fen"] is None]
    lines = list(csv.reader(io.StringIO(client.get(f"{REPORT}.csv?period={month}").data.decode("utf-8-sig"))))
    sheet = openpyxl.load_workbook(io.BytesIO(client.get(f"{REPORT}.xlsx?period={month}").data)).active
    assert sheet is not None
    cells = [[str(cell or "") for cell in row] for row in sheet.iter_rows(values_only=True)]
    for name in hidden:
        for table in (lines, cells):
            row = next(line for line in table if name in line)
            assert not any(value and value != "–" and not value.startswith("不足")
                           for key, value in zip(keys, row, strict=False) if is_income(key)), (name, row)
    assert hidden
    for key in filter(is_income, keys):
        for order in ("asc", "desc"):
            rows = client.get(f"{REPORT}.json?period={month}&sort={key}&order={order}").get_json()["rows"]
            unknown = [row["village"] for row in told["rows"] if row[key] is None]  # in the order of their codes
            assert [row["village"] for row in rows[len(rows) - len(unknown):]] == unknown
    for form in ("", "&format=print"):
        html = client.get(f"{REPORT}?period={month}{form}").text
        shown = {int(text.replace(",", "").replace(".", "")) for text in MONEY.findall(html)}
        values = {row[key] for row in (*told["rows"], told["totals"]) for key in keys
                  if kinds[key] == "fen" and row.get(key) is not None}
        assert shown <= {abs(value) for value in values}


def is_income(key: str) -> bool:
    return next((column.income for column in (*village_income.COLUMNS, village_income.HOUSEHOLD_FEN)
                 if column.key == key), False)


def bought_in(village: int) -> set[int]:
    """What canteens bought in a village: by month, and together."""
    fen = dict(db.session().execute(
        select(TRANSFERS.c.period, func.sum(TRANSFERS.c.amount_fen)).where(
            TRANSFERS.c.event == "accepted", TRANSFERS.c.village_id == village).group_by(TRANSFERS.c.period)).all())
    return {*fen.values(), sum(fen.values())}


def pages_of_goods() -> list[str]:
    with db.snapshot() as session:
        return [*(f"/products/{one}" for one in session.scalars(select(Product.id))),
                *(f"/trace/{code}" for code in session.scalars(select(Lot.code)))]


# ---- what he works out ----------------------------------------------------------------------------------------------


def known_of_income(notes: Notes, totals_hold_all: bool) -> Knowledge:
    """Income of households by village and month; totals taken as those of all villages, or of the shown ones."""
    knows = Knowledge()
    for (month, _place), told in notes.reports.items():
        shown = [row for row in told["rows"] if row["household_fen"] is not None]
        for row in shown:
            knows.learn({(row["code"], month)}, row["household_fen"])
        held = told["rows"] if totals_hold_all else shown
        knows.learn({(row["code"], month) for row in held}, told["totals"]["household_fen"])
    knows.subtract()
    return knows


def known_of_payouts(notes: Notes, truth: "Truth") -> Knowledge:
    """What households were paid, by cells: from shares in percent, and from what was bought, which he knows."""
    knows = Knowledge()
    for (month, supplier), percent in notes.shares.items():
        cells = {cell for cell in truth.paid if cell[1] == supplier and cell[2] and cell[3] <= month}
        between(knows, cells, percent, sum(fen for key, fen in truth.bought.items() if key[1] == supplier
                                           and key[3] <= month))
    for (month, _place), told in notes.reports.items():
        for row in told["rows"]:
            if row["farmers_share"] is not None:
                cells = {cell for cell in truth.paid if cell[0] == row["code"] and cell[3] <= month}
                between(knows, cells, row["farmers_share"] // 100, sum(
                    fen for key, fen in truth.bought.items() if key[0] == row["code"] and key[3] <= month))
    knows.subtract()
    return knows


def between(knows: Knowledge, cells: set[Any], percent: int, bought_fen: int) -> None:
    knows.learn(cells, Fraction((2 * percent - 1) * bought_fen, 200), Fraction((2 * percent + 1) * bought_fen, 200))


@dataclass
class Truth:
    """From the ledger: income by (village, month), paid and bought by cell, and which few households stand behind."""

    income: dict[Atoms, int] = field(default_factory=dict)
    paid: dict[tuple[str, str, str | None, str], int] = field(default_factory=dict)
    bought: dict[tuple[str, str, str | None, str], int] = field(default_factory=dict)
    few_paid: dict[Atoms, int] = field(default_factory=dict)


def the_truth(world: World) -> Truth:
    truth, names = Truth(), {GREENS: "新田县演示蔬菜合作社", POMELO: "江永县演示香柚合作社"}
    suppliers = {world.organisation_id(key): name for key, name in names.items()}
    codes = {village: db.session().get_one(Division, village).code for village in world.villages.values()}
    earned: defaultdict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    payees: defaultdict[tuple[str, str, str | None, str], set[int]] = defaultdict(set)
    by_month: defaultdict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    for one in households.entries(villages=codes):
        month = earned[codes[one.village_id], one.period]
        month[one.household_id or 0] = month.get(one.household_id or 0, 0) + one.earned_fen
        if one.paid_fen:
            cell = (codes[one.village_id], suppliers[one.supplier_id], one.category, one.period)
            truth.paid[cell] = truth.paid.get(cell, 0) + one.paid_fen
            payees[cell].add(one.household_id or 0)
            paid = by_month[codes[one.village_id], one.period]
            paid[one.household_id or 0] = paid.get(one.household_id or 0, 0) + one.paid_fen
    for key, shares in earned.items():
        if 0 < sum(fen > 0 for fen in shares.values()) < 5:
            truth.income[frozenset({key})] = sum(shares.values())
    truth.few_paid = {frozenset({cell}): truth.paid[cell] for cell, who in payees.items() if len(who) < 5}
    for row in db.session().execute(
            select(TRANSFERS.c.village_id, TRANSFERS.c.supplier_id, TRANSFERS.c.category, TRANSFERS.c.period,
                   func.sum(TRANSFERS.c.amount_fen).label("fen"))
            .where(TRANSFERS.c.event == "accepted").group_by(*TRANSFERS.c["village_id", "supplier_id", "category",
                                                                       "period"])):
        truth.bought[codes[row.village_id], suppliers[row.supplier_id], row.category, row.period] = row.fen
    return truth


def attack(visits: Any, world: World, client: FlaskClient) -> tuple[set[Atoms], set[Atoms]]:
    """Income of few, and payouts to few, that the attacker works out."""
    notes = Notes()
    visits(lambda: read_all(world, client, notes))
    truth = the_truth(world)
    assert len(truth.income) == 2 and len(truth.few_paid) == 3, "the world holds what there is to find"
    assert all(row["income_fen"] for (month, place), told in notes.reports.items() if (month, place) == (MONTHS[0], "")
               for row in told["rows"]) and notes.shares, "and something is public"
    income = {one for whole in (True, False) for one in known_of_income(notes, whole).found(truth.income)}
    return income, known_of_payouts(notes, truth).found(truth.few_paid)


def test_all_that_is_public_gives_nobody_away(world: World, client: FlaskClient, visits: Any) -> None:
    assert attack(visits, world, client) == (set(), set())


def test_totals_that_hold_hidden_villages_would(world: World, client: FlaskClient, visits: Any,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin without complementary suppression: rows are blank, totals are whole."""
    whole: dict[int, dict[str, Any]] = {}
    hide, total_of = village_income._hide, village_income.total_of

    def remembering(row: Row, *more: Any) -> bool:
        whole[id(row.values)] = dict(row.values)
        return hide(row, *more)

    monkeypatch.setattr(village_income, "_hide", remembering)
    monkeypatch.setattr(village_income, "total_of", lambda columns, rows: total_of(
        columns, [Row(whole.get(id(row.values), row.values)) for row in rows]))
    income, _paid = attack(visits, world, client)
    assert len(income) == 2


def test_shares_of_months_in_which_few_were_paid_would(world: World, client: FlaskClient, visits: Any,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin without the rule of whole cells: two shares of overlapping months tell what was paid in between."""
    monkeypatch.setattr(disclosure, "small_cells", lambda *_span: set())
    _income, paid = attack(visits, world, client)
    assert paid
