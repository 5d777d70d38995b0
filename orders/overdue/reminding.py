"""Reminders of payments and acceptances: gathered into one for each unit and day, each occasion of an order once.

What is paid or accepted is no longer among the orders looked at, so nobody is reminded of it again.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.orm import aliased

from market import clock, db, journal, mail, money, notices
from market.access import Visitor
from market.errors import N_, Conflict, NotFound
from market.i18n import gettext as _
from market.parties import Organisation
from market.places import Division
from orders.models import Order
from orders.overdue import lists, rules, words
from orders.overdue.lists import Due, NotAccepted
from orders.overdue.models import OverdueReminder

One = TypeVar("One", Due, NotAccepted)
PAYERS = ("finance", "manager")
SELLERS = ("manager", "accountant")
RECEIVERS = ("receiver", "manager")
OFFICIALS = ("official",)
# by matter: what is said, and to whom a mail goes; the notice's kind is "overdue." and the matter
MATTERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "unit": (words.UNIT, PAYERS), "supplier": (words.SUPPLIER, SELLERS), "finance": (words.FINANCE, OFFICIALS),
    "accept": (words.ACCEPT, RECEIVERS), "accept_supplier": (words.ACCEPT_SUPPLIER, SELLERS),
    "accept_office": (words.ACCEPT_OFFICE, OFFICIALS), "asked": (words.ASKED, PAYERS),
}
AT_ONCE = 1000  # values in one statement


class AlreadyReminded(Conflict):
    """The co-operative has reminded this unit today."""

    code = "already_reminded"
    text = N_("This unit has been reminded today. Please leave it some time.")


class NothingLate(Conflict):
    """The unit has paid meanwhile."""

    code = "nothing_late"
    text = N_("Nothing of this unit is late any more.")


def follow(today: date) -> None:
    """All reminders of a day; run again it finds them told."""
    due = lists.dues(Order.pay_by <= clock.days_after(today, rules.SOON_DAYS))
    late = [one for one in due if one.is_late]
    _remind_units(due, today)
    _tell_suppliers(late, today)
    _tell_finance(late, today)
    waiting = lists.not_accepted(late_only=True)
    _remind_receivers(waiting, today)
    _tell_of_acceptance(waiting, today)


# ---- payment --------------------------------------------------------------------------------------------------------


def _remind_units(dues: Sequence[Due], today: date) -> None:
    """7 days before, on the day, 1, 7, 15 and 30 days late: one notice for each unit, with the sums of all it owes."""
    reached = [(one, str(stage)) for one in dues if (stage := rules.unit_stage(one.days)) is not None]
    new = _first_time("unit", [(one.order.id, stage, one.order.unit_id) for one, stage in reached])
    units = {one.order.unit_id for one, stage in reached if (one.order.id, stage) in new}
    for unit_id, rows in _by(lambda order: order.unit_id, (one for one in dues if one.order.unit_id in units)).items():
        late = [one for one in rows if one.is_late]
        _say("unit", unit_id, unit_id, today.isoformat(), {
            "late": len(late), "late_yuan": _yuan(late), "soon": len(rows) - len(late),
            "soon_yuan": _yuan([one for one in rows if not one.is_late]),
            "day": min(one.order.pay_by for one in rows).isoformat()})


def _tell_suppliers(late: Sequence[Due], today: date) -> None:
    """A co-operative hears of an order once, when it has become late."""
    new = _first_time("supplier", [(one.order.id, "late", one.order.supplier_id) for one in late])
    suppliers = {one.order.supplier_id for one in late if (one.order.id, "late") in new}
    told = _by(lambda order: order.supplier_id, (one for one in late if one.order.supplier_id in suppliers))
    for supplier_id, rows in told.items():
        _say("supplier", supplier_id, supplier_id, today.isoformat(), {
            "orders": len(rows), "yuan": _yuan(rows), "units": len({one.order.unit_id for one in rows})})


def _tell_finance(late: Sequence[Due], today: date) -> None:
    """The finance office over a unit hears once a week of what is 30 days late."""
    year, week, _day = today.isocalendar()
    old = [one for one in late if one.days >= rules.OFFICE_FROM]
    by_office = _by_office(old, "finance")
    occasion = f"{year}-W{week:02d}"
    new = _first_time("finance", [(office_id, occasion, office_id) for office_id in by_office])
    for office_id, rows in by_office.items():
        if (office_id, occasion) in new:
            _say("finance", office_id, office_id, occasion, {
                "orders": len(rows), "yuan": _yuan(rows), "units": len({one.order.unit_id for one in rows})})


# ---- acceptance -----------------------------------------------------------------------------------------------------


def _remind_receivers(waiting: Sequence[NotAccepted], today: date) -> None:
    """The day after acceptance was due and every third day: one notice for each unit."""
    reached = [(one, str(rules.not_accepted_stage(one.days))) for one in waiting if one.days >= 1]
    new = _first_time("accept", [(one.order.id, stage, one.order.unit_id) for one, stage in reached])
    units = {one.order.unit_id for one, stage in reached if (one.order.id, stage) in new}
    for unit_id, rows in _by(lambda order: order.unit_id,
                             (one for one in waiting if one.order.unit_id in units)).items():
        _say("accept", unit_id, unit_id, today.isoformat(), _came(rows))


def _tell_of_acceptance(waiting: Sequence[NotAccepted], today: date) -> None:
    """Once for each order: the co-operative, and a week later the county's revitalisation office."""
    new = _first_time("accept_supplier", [(one.order.id, "once", one.order.supplier_id) for one in waiting])
    fresh = [one for one in waiting if (one.order.id, "once") in new]
    for supplier_id, rows in _by(lambda order: order.supplier_id, fresh).items():
        _say("accept_supplier", supplier_id, supplier_id, today.isoformat(), _came(rows))
    by_office = _by_office([one for one in waiting if one.days >= rules.NOT_ACCEPTED_OFFICE_FROM], "revitalisation")
    told = _first_time("accept_office", [(one.order.id, "once", office_id)
                                         for office_id, rows in by_office.items() for one in rows])
    for office_id, rows in by_office.items():
        if any((one.order.id, "once") in told for one in rows):
            _say("accept_office", office_id, office_id, today.isoformat(), {
                "orders": len(rows), "units": len({one.order.unit_id for one in rows})})


def _came(rows: Sequence[NotAccepted]) -> dict[str, Any]:
    return {"orders": len(rows), "day": min(one.order.came_on for one in rows).isoformat()}


# ---- a co-operative asks --------------------------------------------------------------------------------------------


def ask(unit_id: int, by: Visitor) -> None:
    """A co-operative reminds a unit of what is late, at most once a day. Raises NotFound, NothingLate, AlreadyReminded.
    """
    both = (Order.supplier_id == by.organisation_id, Order.unit_id == unit_id)
    if db.session().scalar(select(Order.id).where(*both, Order.state != "waiting").limit(1)) is None:
        raise NotFound()
    late = [one for one in lists.dues(*both) if one.is_late]
    if not late:
        raise NothingLate()
    today, supplier_id = clock.today().isoformat(), by.organisation_id or 0
    if not _first_time("asked", [(unit_id, f"{supplier_id} {today}", unit_id)]):
        raise AlreadyReminded()
    told = {"supplier": by.organisation_name, "orders": len(late), "yuan": _yuan(late),
            "day": late[0].order.pay_by.isoformat()}
    _say("asked", unit_id, supplier_id, today, told)
    journal.record("payment.reminded", "organisation", unit_id, by, orders=told["orders"], yuan=told["yuan"])


def asked_today(by: Visitor) -> set[int]:
    """Units that the co-operative has reminded today."""
    return set(db.session().scalars(
        select(OverdueReminder.thing_id).where(OverdueReminder.matter == "asked", OverdueReminder.occasion == (
            f"{by.organisation_id} {clock.today().isoformat()}"))))


# ---- shared ---------------------------------------------------------------------------------------------------------


def _first_time(matter: str, told: Sequence[tuple[int, str, int]]) -> set[tuple[int, str]]:
    """Which of these (thing, occasion, who is told) nobody has been told of before; from now on they are told."""
    rows = [{"matter": matter, "thing_id": thing_id, "occasion": occasion, "organisation_id": organisation_id,
             "sent_at": clock.now()} for thing_id, occasion, organisation_id in told]
    new: set[tuple[int, str]] = set()
    statement = db.insert_new(OverdueReminder).returning(OverdueReminder.thing_id, OverdueReminder.occasion)
    for some in db.chunks(rows, AT_ONCE):
        known = _known(matter, some)
        fresh = [row for row in some if (row["thing_id"], row["occasion"]) not in known]
        if fresh:
            new |= {(row.thing_id, row.occasion) for row in db.session().execute(statement, fresh)}
    return new


def _known(matter: str, rows: Sequence[Mapping[str, Any]]) -> set[tuple[int, str]]:
    return {(row.thing_id, row.occasion) for row in db.session().execute(
        select(OverdueReminder.thing_id, OverdueReminder.occasion).where(
            OverdueReminder.matter == matter,
            OverdueReminder.thing_id.in_({row["thing_id"] for row in rows})))}


def _by(key_of: Callable[[lists.Columns], int], rows: Iterable[One]) -> dict[int, list[One]]:
    groups: dict[int, list[One]] = defaultdict(list)
    for one in rows:
        groups[key_of(one.order)].append(one)
    return dict(sorted(groups.items()))


def _by_office(rows: Sequence[One], kind: str) -> dict[int, list[One]]:
    """The orders below each office of a kind: the nearest one over the unit."""
    over = offices_over({one.order.division_id for one in rows if one.order.division_id}, kind)
    return _by(lambda order: over[order.division_id], (one for one in rows if one.order.division_id in over))


def offices_over(places: Collection[int], kind: str) -> dict[int, int]:
    """By place: the nearest active office of a kind over it, as far as there is one; two statements."""
    seats = {row.division_id: row.id for row in db.session().execute(
        select(Organisation.division_id, Organisation.id)
        .where(Organisation.kind == "office", Organisation.office_kind == kind, Organisation.status == "active")
        .order_by(Organisation.id.desc()))}
    county = aliased(Division)
    found = {}
    for row in db.session().execute(
            select(Division.id, Division.township_id, Division.county_id, Division.parent_id,
                   county.parent_id.label("city_id"))
            .outerjoin(county, county.id == Division.county_id).where(Division.id.in_(places))):
        way = (row.id, row.township_id, row.county_id, row.parent_id, row.city_id)
        office = next((seats[place] for place in way if place in seats), None)
        if office is not None:
            found[row.id] = office
    return found


def _yuan(rows: Iterable[Due]) -> str:
    return money.yuan(sum(one.open_fen for one in rows))


def _say(matter: str, organisation_id: int, thing_id: int, occasion: str, told: Mapping[str, Any]) -> None:
    """A notice in the site, and a mail in both languages, Chinese first, to those whose task it is."""
    text, roles = MATTERS[matter]
    notices.tell(organisation_id, f"overdue.{matter}", thing_id, told, occasion)
    subjects, bodies = [], []
    for language in ("zh", "en"):
        with force_locale(language):
            subjects.append(str(_(words.SUBJECT)))
            bodies.append(str(_(text, **told)))
    mail.write(organisation_id, roles, f"overdue {matter} {thing_id} {occasion}", " / ".join(subjects),
               "\n\n".join(bodies) + "\n")
