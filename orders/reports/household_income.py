"""Household income: one row for each household and village, by code; the cards' own figures added up.

Its totals are those of the village report's household income in the same months, to the fen.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from market import db, money, words
from market.errors import N_
from market.figures import Where
from market.i18n import gettext as _
from market.linkages import TIES
from market.parties import Organisation
from market.places import Division
from orders.households import cards, costs, lists, sums, years
from orders.households import words as own
from orders.households.costs import Ratios
from orders.households.sums import KINDS, Sums
from orders.income.households import entries
from orders.reports.frame import Asked, Column, Content, Report, Row, total_of
from orders.reports.readers import Area, Reader


def _fen(key: str, heading: str, stage: str = "earned", *, sums_up: bool = True) -> Column:
    return Column(key, heading, "fen", stage, sums=sums_up)


COLUMNS = (
    Column("village", N_("Village"), "text"), Column("village_code", N_("Village code"), "code"),
    Column("code", N_("Household code"), "code"), Column("class", N_("Class"), "text"),
    Column("people", N_("People in the household"), "count"), Column("linkages", N_("Linkages"), "text"),
    Column("newest", N_("Last entry"), "code"), Column("entries", N_("Entries"), "count", sums=True),
    Column("goods", N_("Goods"), "text"), Column("grams", N_("Weight"), "grams", "earned", sums=True),
    *(_fen(f"{kind}_fen", words.INCOME_KINDS[kind]) for kind in KINDS),
    _fen("gross_fen", N_("Gross")), Column("cost_points", N_("Cost ratio"), "percent"),
    _fen("net_fen", N_("Net, estimated"), sums_up=False), _fen("per_head_fen", N_("Per head"), sums_up=False),
    _fen("paid_fen", N_("Paid out"), "paid_out"), _fen("unpaid_fen", N_("Not yet paid"), "earned"),
    Column("payers", N_("Paid by"), "text"),
)


def read(asked: Asked, area: Area, _reader: Reader) -> Content:
    """The households of an area; the cost follows the income of its villages."""
    found = sums.summed(entries(villages=_villages(area.where)), asked.first, asked.last,
                        lambda entry: (entry.village_id, entry.household_id))
    found = {key: one for key, one in found.items() if one.entries or one.paid_fen or one.unpaid_fen}
    year = years.year_of(asked.last)
    households = lists.facts((), {household for _village, household in found if household is not None})
    named = _Names(found, lists.classes_up_to(households, year), households)
    ratios = costs.holding(year)
    rows = [_row(key, one, named, ratios) for key, one in found.items()]
    totals = total_of(COLUMNS, rows)
    nets = [row.values["net_fen"] for row in rows]
    totals.values["net_fen"] = None if None in nets else sum(nets)
    return Content(COLUMNS, rows, totals, [
        _(cards.ONLY_HERE),
        _("Net is an estimate: gross less the cost ratio of each category of goods. Wages, rents and dividends are "
          "taken whole. Without a ratio the net is not known."),
        _("Households by code only. Growers whose names have not followed yet stand in one row for each village."),
    ])


REPORT = Report("household-income", N_("Household income"),
                N_("What each household earned through this platform, by code: the income cards added up."), read,
                "report.read", by_village=False, group="income")


def _villages(where: Where) -> list[int] | None:
    if where == Where():
        return None
    return list(db.session().scalars(
        select(Division.id).where(Division.level == "village", where.holds(Division.id))))


class _Names:
    """Places, payers, ties, classes behind the ids of some sums."""

    def __init__(self, found: Mapping[tuple[int, int | None], Sums], classes: Mapping[int, str],
                 households: Mapping[int, Any]) -> None:
        read_ = db.session().execute
        self.classes, self.households = classes, households
        self.villages = {row.id: row for row in read_(select(Division.id, Division.code, Division.path).where(
            Division.id.in_({village for village, _household in found})))}
        self.suppliers = {row.id: row.short_name for row in read_(select(
            Organisation.id, Organisation.short_name).where(Organisation.kind == "supplier"))}
        self.forms = {row.id: row.form for row in read_(select(TIES.c.id, TIES.c.form).where(
            TIES.c.id.in_({tie for one in found.values() for tie in one.linkages})))}


def _row(key: tuple[int, int | None], one: Sums, named: _Names, ratios: Ratios) -> Row:
    village, household = named.villages[key[0]], named.households.get(key[1] or 0)
    told = named.classes.get(key[1] or 0)
    estimate = one.estimate(ratios)
    forms = dict.fromkeys(named.forms[tie] for tie in sorted(one.linkages))
    code = cards.code_of(household) if household is not None else None
    row = Row({
        "village": village.path, "village_code": village.code, "code": code,
        "class": _(words.HOUSEHOLD_CLASSES[told]) if told else None, "people": household.people if household else None,
        "linkages": "、".join(_(own.FORMS[form]) for form in forms), "newest": one.newest or None,
        "entries": one.entries, "goods": "、".join(one.names), "grams": one.grams,
        **{f"{kind}_fen": one.by_kind[kind] for kind in KINDS}, "gross_fen": one.gross_fen,
        "cost_points": (money.basis_points(estimate.cost_fen, one.gross_fen)
                        if estimate.cost_fen is not None and one.gross_fen > 0 else None),
        "net_fen": estimate.net_fen,
        "per_head_fen": money.average(one.gross_fen, household.people) if household else None,
        "paid_fen": one.paid_fen, "unpaid_fen": one.unpaid_fen,
        "payers": "、".join(sorted(named.suppliers[supplier] for supplier in one.suppliers)),
    }, order=f"{village.code} {village.id} {code or '~'}")
    if code is None:
        row.instead["code"] = _("not named yet")
    if estimate.net_fen is None:
        row.instead["net_fen"] = _("not known")
    return row
