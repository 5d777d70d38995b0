"""Named weekly lists of a unit: made, changed, taken away and brought back by anybody who orders for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from catalog.models import Product
from market import clock, db, journal, paging
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound
from orders.buying import cart, refusals
from orders.ordering.again import monday_of
from orders.ordering.drafts import Delivery, Part, Want
from orders.ordering.models import WeeklyList, WeeklyListLine

MOST_LINES = 200
MOST_LISTS = 100
TAKEN = N_("There is a list of this name already.")


@dataclass(frozen=True)
class Entry:
    """A good on a list, how much of it, and the weekday it is for (1 to 7, 0 for any)."""

    product_id: int
    milli: int
    weekday: int = 0


class TooManyLists(Conflict):
    """A unit keeps as many lists as one can find a list in."""

    code = "too_many_lists"
    text = N_("At most 100 lists. Please take one away first.")


def make(name: str, entries: Sequence[Entry], by: Visitor) -> int:
    """A new list of the visitor's unit; returns its id. Raises InvalidInput, TooManyLists, NotThisQuantity."""
    if (db.session().scalar(select(func.count()).select_from(WeeklyList).where(*_own(by))) or 0) >= MOST_LISTS:
        raise TooManyLists()
    now = clock.now()
    row = {"unit_id": by.organisation_id, "name": name, "made_by": by.id, "made_at": now, "changed_at": now}
    made = db.session().execute(db.insert_new(WeeklyList).returning(db.table(WeeklyList).c.id), row).scalar()
    if made is None:
        raise InvalidInput({"name": [TAKEN]})
    _write(made, entries)
    journal.record("weekly_list.made", "weekly_list", made, by, name=name, goods=len(entries))
    return int(made)


def change(list_id: int, name: str, entries: Sequence[Entry], by: Visitor) -> None:
    """Give a list another name and other goods. Raises NotFound, InvalidInput, NotThisQuantity."""
    kept = _locked(list_id, by)
    twin = db.session().scalar(select(WeeklyList.id).where(*_own(by), WeeklyList.name == name,
                                                           WeeklyList.id != list_id))
    if twin is not None:
        raise InvalidInput({"name": [TAKEN]})
    before = kept.name
    kept.name, kept.changed_at = name, clock.now()
    try:
        db.session().flush()
    except IntegrityError as rival:  # of the same name, made in this moment
        raise InvalidInput({"name": [TAKEN]}) from rival
    db.session().execute(delete(WeeklyListLine).where(WeeklyListLine.list_id == list_id))
    _write(list_id, entries)
    journal.record("weekly_list.changed", "weekly_list", list_id, by, before=before, name=name, goods=len(entries))


def remove(list_id: int, by: Visitor) -> str:
    """Take a list away; it can be brought back. Returns its name. Raises NotFound."""
    kept = _locked(list_id, by)
    kept.removed_at = clock.now()
    db.session().flush()
    journal.record("weekly_list.removed", "weekly_list", list_id, by, name=kept.name)
    return kept.name


def bring_back(list_id: int, by: Visitor) -> str:
    """Undo taking a list away. Raises NotFound, Conflict where another list has its name now."""
    kept = db.session().scalar(select(WeeklyList).where(
        WeeklyList.id == list_id, WeeklyList.unit_id == by.organisation_id).with_for_update())
    if kept is None:
        raise NotFound()
    if kept.removed_at is None:
        return kept.name
    back = db.session().execute(
        update(WeeklyList).where(WeeklyList.id == list_id, ~select(WeeklyList.id).where(
            *_own(by), WeeklyList.name == kept.name).exists()).values(removed_at=None)
        .returning(WeeklyList.id)).scalar()
    if back is None:
        raise NameTaken()
    journal.record("weekly_list.brought_back", "weekly_list", list_id, by, name=kept.name)
    return kept.name


class NameTaken(Conflict):
    """Meanwhile another list was given the name."""

    code = "name_taken"
    text = TAKEN


def _write(list_id: int, entries: Sequence[Entry]) -> None:
    """The lines of a list; each good in a quantity that it is sold in. Goods that are not on sale stay as they are."""
    if not entries or len(entries) > MOST_LINES:
        raise InvalidInput({"lines": [N_("A list holds between 1 and 200 goods.")]})
    if len({(entry.product_id, entry.weekday) for entry in entries}) != len(entries):
        raise InvalidInput({"lines": [N_("A good is listed twice.")]})
    ids = {entry.product_id for entry in entries}
    if db.session().scalar(select(func.count()).select_from(Product).where(Product.id.in_(ids))) != len(ids):
        raise InvalidInput({"lines": [refusals.NoLongerSold()]})
    products = cart.sellable(list(ids))
    for entry in entries:
        if entry.product_id in products:
            cart.check_quantity(products[entry.product_id], entry.milli)
    db.insert_rows(WeeklyListLine, [
        {"list_id": list_id, "product_id": entry.product_id, "milli": entry.milli, "weekday": entry.weekday}
        for entry in entries])


def _own(by: Visitor) -> tuple[Any, Any]:
    return WeeklyList.unit_id == by.organisation_id, WeeklyList.removed_at.is_(None)


def _locked(list_id: int, by: Visitor) -> WeeklyList:
    kept = db.session().scalar(select(WeeklyList).where(WeeklyList.id == list_id, *_own(by)).with_for_update())
    if kept is None:
        raise NotFound()
    return kept


# ---- looking --------------------------------------------------------------------------------------------------------


def lists(by: Visitor, page: int) -> paging.Page:
    """The unit's lists with the number of their goods, by name; two statements."""
    total = db.session().scalar(select(func.count()).select_from(WeeklyList).where(*_own(by))) or 0
    goods = (select(func.count()).select_from(WeeklyListLine).where(WeeklyListLine.list_id == WeeklyList.id)
             .correlate(WeeklyList).scalar_subquery())
    return paging.read(
        select(WeeklyList.id, WeeklyList.name, WeeklyList.changed_at, goods.label("goods")).where(*_own(by))
        .order_by(WeeklyList.name, WeeklyList.id), total, page)


def one(list_id: int, by: Visitor) -> Row[*tuple[Any, ...]]:
    """A list of the visitor's unit. Raises NotFound."""
    found = db.session().execute(select(WeeklyList.id, WeeklyList.name).where(WeeklyList.id == list_id, *_own(by))
                                 ).first()
    if found is None:
        raise NotFound()
    return found


def entries(list_id: int) -> list[Entry]:
    """The lines of a list, by weekday. The caller has checked whose it is."""
    return [Entry(row.product_id, row.milli, row.weekday) for row in db.session().execute(
        select(WeeklyListLine.product_id, WeeklyListLine.milli, WeeklyListLine.weekday)
        .where(WeeklyListLine.list_id == list_id).order_by(WeeklyListLine.weekday, WeeklyListLine.id))]


def parts(goods: Sequence[Entry], usual: Delivery) -> list[Part]:
    """A list as a draft: goods of a weekday come the next time it is that day, others on the usual day."""
    by_day: dict[date, dict[int, int]] = {}
    for entry in goods:
        day = next_day(entry.weekday) if entry.weekday else usual.delivery_day
        on_day = by_day.setdefault(day, {})
        on_day[entry.product_id] = on_day.get(entry.product_id, 0) + entry.milli
    return [Part(Delivery(usual.delivery_point_id, day, usual.delivery_window, usual.fund_source,
                          usual.budget_unit_id),
                 [Want(product_id, milli, was_milli=milli) for product_id, milli in wanted.items()])
            for day, wanted in sorted(by_day.items())]


def next_day(weekday: int) -> date:
    """The first such weekday (1 Monday to 7) after today."""
    today = clock.today()
    day = clock.days_after(monday_of(today), weekday - 1)
    return day if day > today else clock.days_after(day, 7)
