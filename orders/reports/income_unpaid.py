"""Income unpaid (到户拖欠): what households and collectives of the area have earned 30 days ago and longer and were not
paid yet, as it stands today. Households as codes only.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from market import clock, db
from market.errors import N_, NotFound
from market.figures import EVERYWHERE, Where
from market.households import CoopMember, Household
from market.i18n import gettext as _
from market.parties import Organisation
from market.places import Division
from market.sealing import TRANSFERS
from orders.payouts import owed
from orders.payouts.owed import Owed
from orders.reports.frame import Asked, Column, Content, Report, Row, total_of
from orders.reports.readers import Area, Reader

BANDS = (30, 60, 90)  # days
COLUMNS = (
    Column("place", N_("Village"), "text"), Column("supplier", N_("Co-operative"), "text"),
    Column("receiver", N_("Household"), "code"), Column("unpaid_fen", N_("Not yet paid out"), "fen", sums=True),
    Column("over_30_fen", N_("Over 30 days"), "fen", sums=True),
    Column("over_60_fen", N_("Over 60 days"), "fen", sums=True),
    Column("over_90_fen", N_("Over 90 days"), "fen", sums=True),
    Column("on_way_fen", N_("On its way"), "fen", sums=True), Column("since", N_("Waits since"), "code"),
)


def read(_asked: Asked, area: Area, reader: Reader) -> Content:
    """One row for each receiver with income unpaid for 30 days. Not for the public."""
    if not reader.sees_all:
        raise NotFound()
    first_band = clock.days_after(clock.today(), -BANDS[0])
    receivers: defaultdict[tuple[int, int, int | None, bool], list[Owed]] = defaultdict(list)
    for one in owed.of(villages=_villages(area.where)):
        collective = one.income_kind == "collective"
        receivers[one.village_id, one.supplier_id, one.household_id, collective].append(one)
    late = {key: some for key, some in receivers.items() if sum(one.since_before(first_band) for one in some) > 0}
    codes = _codes({household for _v, _s, household, _c in late if household is not None})
    members = _members({household for _v, _s, household, _c in late if household is not None})
    places = _names(Division, Division.path, {village for village, _s, _h, _c in late})
    suppliers = _names(Organisation, Organisation.name, {supplier for _v, supplier, _h, _c in late})
    rows = [
        _row(places[village], suppliers[supplier], _receiver(
            collective, codes.get(household or 0), members.get((supplier, household or 0))), some)
        for (village, supplier, household, collective), some in late.items()]
    return Content(COLUMNS, rows, total_of(COLUMNS, rows), [
        _("As of %(day)s. What is paid pays the oldest income first.", day=clock.today().isoformat()),
        _("Paid out is what the village has confirmed; on its way is what stands in a payment run until then.")])


def _villages(where: Where) -> Collection[int] | None:
    """Villages of the area that ever earned; None for all."""
    if where == EVERYWHERE:
        return None
    return set(db.session().scalars(
        select(TRANSFERS.c.village_id).where(TRANSFERS.c.event == "attributed", where.holds(TRANSFERS.c.village_id))
        .distinct()))


def _receiver(collective: bool, code: str | None, member_no: str | None) -> str:
    return _("The village's collective") if collective else code or member_no or _("Growers not named yet")


def _row(place: str, supplier: str, receiver: str, some: list[Owed]) -> Row:
    today = clock.today()
    over = {f"over_{days}_fen": sum(one.since_before(clock.days_after(today, -days)) for one in some)
            for days in BANDS}
    return Row({
        "place": place, "supplier": supplier, "receiver": receiver,
        "unpaid_fen": sum(one.unpaid_fen for one in some), **over,
        "on_way_fen": sum(one.on_way_fen for one in some),
        "since": min(one.oldest for one in some if one.oldest is not None).isoformat(),
    }, order=f"{place} {supplier} {receiver}")


def _codes(households: Collection[int]) -> dict[int, str | None]:
    """Register codes; ordinary households have none."""
    return {row[0]: row[1] for row in _chunked(select(Household.id, Household.register_code), Household.id, households)}


def _members(households: Collection[int]) -> dict[tuple[int, int], str]:
    """Member numbers by co-operative and household."""
    query = select(CoopMember.supplier_id, CoopMember.household_id, CoopMember.member_no)
    return {(row[0], row[1]): row[2] for row in _chunked(query, CoopMember.household_id, households)}


def _names(entity: Any, name: Any, ids: Collection[int]) -> dict[int, str]:
    return {row[0]: row[1] for row in _chunked(select(entity.id, name), entity.id, ids)}


def _chunked(query: Any, key: Any, ids: Collection[int]) -> list[Any]:
    return [row for some in db.chunks(sorted(ids)) for row in db.session().execute(query.where(key.in_(some)))]


REPORT = Report("income-unpaid", N_("Income not yet paid out"),
                N_("What households and collectives have earned and were not paid for 30, 60 and 90 days, by village "
                   "and co-operative."), read, verb="report.read", by_village=False, group="income")
