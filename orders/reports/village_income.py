"""Sales and income by village: what was bought there, what was received for it, what households and collectives got.

Purchases are dated by acceptance, less what came back; income is what villages earned, less what was taken back. The
ratio 'income to sales' compares the two in the same months; the farmers' share compares twelve months' money that was
really handed on, with proof, and stays unknown where there is too little to tell. Orders under check
(orders/anomalies/holds.py) are left out of what the public sees; officials see the figures with and without them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from catalog.origins import FEWEST_HOUSEHOLDS
from market import clock, db, figures, money, thing_counts, words
from market.errors import N_
from market.figures import Where
from market.i18n import gettext as _
from market.places import Division, VillageDesignation
from market.sealing import TRANSFERS
from orders.anomalies import holds
from orders.anomalies.holds import Held
from orders.reports import disclosure, village_narrowed
from orders.reports.frame import Asked, Column, Content, Report, Row, total_of
from orders.reports.readers import Area, Reader

SHARE_MONTHS = 12
MONTHS_NEEDED = 3  # of the twelve, with purchases, before a farmers' share is told

BOUGHT = {"accepted_fen": 1, "returned_fen": -1}
RECEIVED = {"received_fen": 1, "refunded_fen": -1}
OPEN = {**BOUGHT, "allowance_fen": -1, "received_fen": -1, "refunded_fen": 1}
HOUSEHOLD_INCOME = {"farm_gate_fen": 1, "wage_fen": 1, "land_fen": 1, "dividend_fen": 1}
PAID_OUT = {"households_paid_fen": 1, "collective_paid_fen": 1}
IN_A_YEAR = {"bought": BOUGHT, "paid": PAID_OUT}  # what the farmers' share is made of


def _fen(key: str, heading: str, stage: str, formula: Mapping[str, int], income: bool = False) -> Column:
    return Column(key, heading, "fen", stage, sums=True, formula=formula, opens=True, income=income)


def _earned(kind: str) -> Column:
    return _fen(f"{kind}_fen", words.INCOME_KINDS[kind], "earned", {f"{kind}_fen": 1}, income=True)


COLUMNS = (
    Column("county", N_("County"), "text"),
    Column("township", N_("Township"), "text"),
    Column("village", N_("Village"), "text"),
    Column("code", N_("Village code"), "code"),
    Column("designated", N_("Village lifted from poverty"), "text"),
    Column("products", N_("Goods"), "count", "accepted", opens=True),
    Column("orders", N_("Orders"), "count", "accepted", opens=True),
    Column("accepted_grams", N_("Weight"), "grams", "accepted", sums=True, formula={"accepted_grams": 1}, opens=True),
    _fen("purchase_fen", N_("Purchase amount"), "accepted", BOUGHT),
    _fen("certified_fen", N_("of which certified"), "accepted", {"certified_fen": 1}),
    _fen("returned_fen", N_("Sent back"), "accepted", {"returned_fen": 1}),
    _fen("received_fen", N_("Received"), "received", RECEIVED),
    _fen("unpaid_fen", N_("Still unpaid"), "open", OPEN),
    *(_earned(kind) for kind in ("farm_gate", "wage", "land", "dividend", "collective")),
    _fen("income_fen", N_("Total income"), "earned", {**HOUSEHOLD_INCOME, "collective_fen": 1}, income=True),
    Column("income_ratio", N_("Income to sales"), "percent", "earned", income=True),
    Column("farmers_share", N_("Farmers' share, 12 months"), "percent", "paid_out", income=True),
    Column("households", N_("Households"), "count", "earned", sums=True, opens=True, income=True),
    Column("people", N_("People"), "count", "earned", sums=True, opens=True, income=True),
    Column("per_household_fen", N_("Per household"), "fen", "earned", income=True),
    Column("per_head_fen", N_("Per head"), "fen", "earned", income=True),
    Column("under_check_fen", N_("Under check"), "fen", "accepted", sums=True),
    Column("under_check_orders", N_("Orders under check"), "count", "accepted"),
    Column("under_check_days", N_("Under check for days"), "count"),
    Column("left_out_fen", N_("Left out after a check"), "fen", "accepted", sums=True),
)
WITHOUT = (  # beside the figures with everything in them, for officials
    Column("clear_purchase_fen", N_("Purchase amount without what is held"), "fen", "accepted", sums=True),
    Column("clear_income_fen", N_("Total income without what is held"), "fen", "earned", sums=True),
)
TOTAL_INCOME = {**HOUSEHOLD_INCOME, "collective_fen": 1}
HOUSEHOLD_FEN = _fen("household_fen", N_("Income of households"), "earned", HOUSEHOLD_INCOME, income=True)
# amounts from which the income of households follows
TOLD_BY_HOUSEHOLDS = (HOUSEHOLD_FEN.key, "income_fen", "income_ratio", "farmers_share", "per_household_fen",
                      "per_head_fen")


def _for_the_public(columns: Sequence[Column]) -> Iterator[Column]:
    """One column for all income of households in place of one for each kind: a kind may be one household's alone."""
    for column in columns:
        if column.key == "collective_fen":
            yield HOUSEHOLD_FEN
        if column.key not in HOUSEHOLD_INCOME:
            yield column


PUBLIC_COLUMNS = tuple(_for_the_public(COLUMNS))


@dataclass(frozen=True)
class Share:
    """Twelve months of a village: bought, handed on, months with purchases; why the public may not see it, if so.

    It may where nothing is under check and what households were paid is made of cells that enough of them shared
    (orders/reports/disclosure.py).
    """

    bought_fen: int
    paid_fen: int
    months: int
    hidden: str = ""

    def points(self) -> int | None:
        """Hundredths of a percent, None while there is too little to tell."""
        if self.months < MONTHS_NEEDED or self.bought_fen <= 0:
            return None
        return money.basis_points(self.paid_fen, self.bought_fen)


def read(asked: Asked, area: Area, reader: Reader) -> Content:
    """The report's rows, in a constant number of statements whatever the number of villages or orders."""
    if village_narrowed.is_wanted(asked, reader):
        return _narrowed(asked, area)
    span = (asked.first, asked.last, area.where)
    since = clock.months_before(asked.last, SHARE_MONTHS - 1)
    rows = figures.village_figures(*span)
    by_month_held = holds.held_figures(min(since, asked.first), asked.last, area.where)
    held = holds.by_village(by_month_held, asked.first, asked.last)
    whole = {row["village_id"]: row for row in rows}
    if not reader.sees_all:
        rows = holds.without(rows, held)
    sums = {row["village_id"]: row for row in rows}
    counts = figures.presence_by_village(*span)
    people = thing_counts.people_by_village(*span)
    year = (since, asked.last, area.where)
    shares = _shares(*year) if reader.sees_all else _public_shares(*year, by_month_held)
    places = _places(sums) | (_open_places(area.where) if asked.every else {})
    designated = _designated(int(asked.last[:4]), list(places))
    columns = _columns(asked)
    by_id = {
        village: _row(place, sums.get(village, {}), counts.get(village, {}), people.get(village, 0),
                      shares.get(village), village in designated, held.get(village, Held()))
        for village, place in places.items()
    }
    if not reader.sees_all:
        columns = tuple(_for_the_public(columns))
        behind = disclosure.standing(asked.first, asked.last, whole, counts)
        hidden = sum(_hide(row, behind.get(village, 0), shares.get(village), held.get(village))
                     for village, row in by_id.items())
        shown = list(by_id.values())
        return Content(columns, shown, _totals(columns, shown, held), _notes(hidden))
    shown = list(by_id.values())
    totals = _totals((*columns, *WITHOUT), shown, held)
    months = by_month(figures.facet_figures(since, asked.last, ("period",), area.where))
    _derive(totals.values, sum(HOUSEHOLD_FEN.value_of(row) for row in sums.values()), _joined(shares, months))
    notes = [*_notes(0), _each_once(figures.presence_counts(*span))]
    return Content((*columns, *WITHOUT), shown, totals, notes, months)


REPORT = Report("village-income", N_("Village sales and income"),
                N_("Purchases, money received and income of every village, by month."), read,
                filters=("unit_type", "method", "fund_source", "category", "certified"),
                stages=("accepted", "received", "placed"), compares=("ytd", "yoy"), group="income",
                every=N_("Also villages with nothing in this time"))


def _columns(asked: Asked) -> tuple[Column, ...]:
    """The columns in the words of the year reported."""
    label = words.designation_label(int(asked.last[:4]))
    return tuple(replace(c, heading=label) if c.key == "designated" else c for c in COLUMNS)


def _narrowed(asked: Asked, area: Area) -> Content:
    """The same for some trade, or at another stage, for officials."""
    sums = village_narrowed.sums_of(asked, area)
    places = _places(sums) | (_open_places(area.where) if asked.every else {})
    columns = village_narrowed.columns_of(_columns(asked), asked)
    return village_narrowed.content(asked, columns, sums, places, _designated(int(asked.last[:4]), list(places)))


# ---- rows -----------------------------------------------------------------------------------------------------------


def _row(place: Any, sums: Mapping[str, int], counts: Mapping[str, int], people: int, share: Share | None,
         designated: bool, held: Held) -> Row:
    values: dict[str, Any] = {
        "county": place.county, "township": place.township, "village": place.name, "code": place.code,
        "designated": _("yes") if designated else "", "products": counts.get("product", 0),
        "orders": counts.get("order", 0), "households": counts.get("household", 0), "people": people,
        **{c.key: c.value_of(sums) for c in (*COLUMNS, HOUSEHOLD_FEN) if c.formula}, **_checked(held),
    }
    values["clear_purchase_fen"] = values["purchase_fen"] - total(held.figures, BOUGHT)
    values["clear_income_fen"] = values["income_fen"] - total(held.figures, TOTAL_INCOME)
    row = Row(values, place=place.code if place.is_open else str(place.id), order=f"{place.code} {place.id}")
    _derive(values, HOUSEHOLD_FEN.value_of(sums), share)
    if values["farmers_share"] is None:
        row.instead["farmers_share"] = _("not yet known")
    return row


def _checked(held: Held) -> dict[str, Any]:
    return {"under_check_fen": held.bought(), "under_check_orders": len(held.orders), "under_check_days": held.days,
            "left_out_fen": held.bought(undecided=False)}


def _totals(columns: Sequence[Column], rows: Sequence[Row], held: Mapping[int, Held]) -> Row:
    """Sums of what is shown; an order under check in several villages counts once."""
    totals, whole = total_of(columns, rows), Held()
    for one in held.values():
        whole.add(one)
    totals.values |= {"under_check_orders": len(whole.orders), "under_check_days": whole.days}
    return totals


def _derive(values: dict[str, Any], household_fen: int, share: Share | None) -> None:
    """The figures that are made of others; where there is nothing to divide by they are not known."""
    bought, households, people = values["purchase_fen"], values["households"], values["people"]
    values["income_ratio"] = money.basis_points(values["income_fen"], bought) if bought > 0 else None
    values["farmers_share"] = share.points() if share else None
    values["per_household_fen"] = money.average(household_fen, households) if households else None
    values["per_head_fen"] = money.average(household_fen, people) if people else None


def _hide(row: Row, behind: int, share: Share | None, held: Held | None) -> bool:
    """Behind few households the public learns no income nor anything it could be worked out from; whether they are few.

    Where orders are held it learns no income of households either: the difference before and after would be one
    household's. The orders that are held count nowhere but under check.
    """
    few = behind < FEWEST_HOUSEHOLDS
    row.values["orders"] -= len(held.all_orders) if held else 0
    if few:
        row.values.update({c.key: None for c in (*COLUMNS, HOUSEHOLD_FEN) if c.income})
        row.instead = {"households": _("fewer than %(number)s", number=FEWEST_HOUSEHOLDS)}
    elif held is not None:
        row.values.update(dict.fromkeys(TOLD_BY_HOUSEHOLDS))
        row.instead = {HOUSEHOLD_FEN.key: _("under check")} if held.orders else {}
    elif share is not None and share.hidden:
        row.values["farmers_share"] = None
        row.instead = {"farmers_share": _(share.hidden, number=FEWEST_HOUSEHOLDS)}
    else:
        row.values["farmers_share"] = money.in_whole_percent(row.values["farmers_share"])
    return few


def _notes(hidden: int) -> list[str]:
    notes = [
        _("Purchase amount: accepted less sent back, each in its own month. Still unpaid: the purchase amount less "
          "what was received in the same months; a minus means that goods of earlier months were paid."),
        _("Income is what villages earned, each entry with its document; it is not sales. Income to sales: total "
          "income divided by the purchase amount of the same months."),
        _("Farmers' share: income really handed on, with proof, divided by the purchase amount of the twelve months up "
          "to the last month shown; not yet known before three months with purchases."),
        _("Per household and per head: income of households, without the collective share."),
        _("Under check: accepted less sent back of orders that an official looks into, and for how many days the "
          "oldest has been. The public sees every figure without them and, in their months, no income of households; "
          "an order that a check did not clear stays left out."),
    ]
    if hidden:
        notes.append(_("%(count)s villages with fewer than %(number)s households behind their income: their income is "
                       "not shown and not part of any total.", count=hidden, number=FEWEST_HOUSEHOLDS))
    return notes


def _each_once(counts: Mapping[str, int]) -> str:
    return str(_(
        "Each counted once over all villages: %(orders)s orders, %(products)s goods, %(households)s households, "
        "%(suppliers)s co-operatives.", orders=counts.get("order", 0), products=counts.get("product", 0),
        households=counts.get("household", 0), suppliers=counts.get("supplier", 0)))


# ---- twelve months --------------------------------------------------------------------------------------------------


def _shares(first: str, last: str, where: Where) -> dict[int, Share]:
    """By village."""
    tallies = figures.village_tallies(first, last, IN_A_YEAR, where)
    return {village: _share_of(tally) for village, tally in tallies.items()}


def _public_shares(first: str, last: str, where: Where,
                   held: Mapping[tuple[int, str], Held]) -> dict[int, Share]:
    """The same less what is held. One month in which few households were paid, or orders are held, keeps the whole
    share from the public: the difference of two years that overlap would tell what they got.
    """
    tallies = figures.village_tallies(first, last, IN_A_YEAR, where)
    few_were_paid = {cell.village_id for cell in disclosure.small_cells(
        first, last, where.holds(TRANSFERS.c.village_id))}
    under_check = {village for village, _month in held}
    if under_check:
        rows = figures.village_figures(first, last, replace(where, village_ids=under_check), by_period=True)
        tallies |= figures.tallied(holds.without(rows, held), IN_A_YEAR)
    return {village: _share_of(tally, N_("under check") if village in under_check
                               else N_("fewer than %(number)s") if village in few_were_paid else "")
            for village, tally in tallies.items()}


def _share_of(tally: Mapping[str, int], hidden: str = "") -> Share:
    return Share(tally["bought"], tally["paid"], tally["bought_months"], hidden)


def _joined(shares: Mapping[int, Share], months: Sequence[Mapping[str, Any]]) -> Share:
    """The same of all villages together."""
    return Share(sum(one.bought_fen for one in shares.values()), sum(one.paid_fen for one in shares.values()),
                 sum(month["purchase_fen"] > 0 for month in months))


def by_month(year: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Purchases and income of months, for the drawing."""
    return [{"period": row["period"], "purchase_fen": total(row, BOUGHT), "income_fen": total(row, TOTAL_INCOME)}
            for row in year]


def total(row: Mapping[str, Any], formula: Mapping[str, int]) -> int:
    return sum(sign * int(row.get(name, 0)) for name, sign in formula.items())


# ---- places ---------------------------------------------------------------------------------------------------------


def _places(village_ids: Iterable[int]) -> dict[int, Any]:
    """Villages, former ones among them, with the names of their township and county."""
    return {row.id: row for some in db.chunks(sorted(village_ids))
            for row in db.session().execute(_named_places().where(Division.id.in_(some)))}


def _open_places(where: Where) -> dict[int, Any]:
    """Every village of an area as it is today."""
    query = _named_places().where(where.holds(Division.id), Division.valid_to.is_(None))
    return {row.id: row for row in db.session().execute(query)}


def _named_places() -> Any:
    county, township = aliased(Division), aliased(Division)
    return (
        select(Division.id, Division.code, Division.name, Division.valid_to.is_(None).label("is_open"),
               county.name.label("county"), township.name.label("township"))
        .outerjoin(county, county.id == Division.county_id).outerjoin(township, township.id == Division.township_id)
        .where(Division.level == "village")
    )


def _designated(year: int, village_ids: Sequence[int]) -> set[int]:
    """Villages that the newest word up to a year says are designated."""
    newest: dict[int, bool] = {}
    for some in db.chunks(sorted(village_ids)):
        query = (
            select(VillageDesignation.village_id, VillageDesignation.designated)
            .where(VillageDesignation.village_id.in_(some), VillageDesignation.year <= year)
            .order_by(VillageDesignation.year)
        )
        newest.update((row.village_id, row.designated) for row in db.session().execute(query))
    return {village for village, designated in newest.items() if designated}
