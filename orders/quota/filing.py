"""A unit's yearly filing: written, submitted, reviewed by the supervising unit, decided by finance; or returned."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from market import clock, db, journal, money, offices
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, MarketError, NotAllowed, NotFound, SecondPersonNeeded
from market.parties import Organisation
from orders.quota import rules
from orders.quota.models import WRITABLE, QuotaFiling, QuotaRevision

FILING = db.table(QuotaFiling)
WITH_CANTEEN = ("own", "outsourced")
CONTENT = ("canteen", "union_demand", "canteen_base_fen", "canteen_points", "union_base_fen", "union_points",
           "contractor", "contact", "phone", "remark")
NO_CANTEEN = "无食堂"


class RatioTooLow(MarketError):
    """The rule asks for more."""

    status = 422
    code = "ratio_too_low"
    text = N_("At least %(least)s by %(document)s (%(number)s).")


class NoRule(MarketError):
    status = 422
    code = "no_quota_rule"
    text = N_("No rule is entered for your area and kind of unit in %(year)s; ask the finance office.")


class FilingMoved(Conflict):
    code = "filing_moved"
    text = N_("This filing has moved on meanwhile. Please look at it again.")


class NotThatUnit(MarketError):
    """Who cannot represent, and why."""

    status = 422
    code = "no_representative"
    text = N_("%(unit)s has no canteen of its own in its filing, or names another unit itself.")


class IsNamed(MarketError):
    status = 422
    code = "is_representative"
    text = N_("%(unit)s names you as the representative of the shared canteen: you file the whole.")


def save(year: int, values: Mapping[str, Any], by: Visitor, *, submit: bool) -> int:
    """Keep a draft, or submit it; returns the filing's id. A returned one is corrected and submitted anew.

    Raises InvalidInput at the field, FilingMoved where it is under way or decided.
    """
    unit = rules.unit(by.organisation_id)
    representative = _representative(values, unit)
    _lock(unit.id, representative)
    content = _content(year, values, unit, representative, submit)
    session, now = db.session(), clock.now()
    before = session.execute(select(FILING).where(FILING.c.unit_id == unit.id, FILING.c.year == year)).first()
    if before is not None and before.state not in WRITABLE:
        raise FilingMoved()
    content |= {"saved_by": by.id, "saved_at": now}
    if before is None:
        row = {"unit_id": unit.id, "year": year, "state": "draft", "revision": 0, "is_late": False, "reason": "",
               **content}
        filing_id = session.scalar(db.insert_new(QuotaFiling).returning(QuotaFiling.id), row)
        if filing_id is None:
            raise FilingMoved()
    else:
        filing_id = _move(before.id, before.state, before.revision, **content)
    if submit:
        _submit(int(filing_id), year, unit, by)
    else:
        journal.record("quota_filing.saved", "quota_filing", filing_id, by)
    return int(filing_id)


def _submit(filing_id: int, year: int, unit: Any, by: Visitor) -> None:
    deadline, now = rules.Book(year).deadline(unit.division_id), clock.now()
    row = db.session().execute(
        update(QuotaFiling).where(QuotaFiling.id == filing_id, QuotaFiling.state.in_(WRITABLE))
        .values(state="submitted", revision=QuotaFiling.revision + 1, submitted_by=by.id, submitted_at=now,
                is_late=deadline is not None and clock.business_date(now) > deadline, reviewed_by=None,
                reviewed_at=None, decided_by=None, decided_at=None)
        .returning(*FILING.c)).first()
    if row is None:
        raise FilingMoved()
    content = {name: getattr(row, name) for name in (*CONTENT, "representative_id", "canteen_quota_fen",
                                                     "union_quota_fen", "canteen_rule_id", "union_rule_id")}
    db.insert_rows(QuotaRevision, [{"filing_id": filing_id, "number": row.revision, "content": content,
                                    "submitted_by": by.id, "submitted_at": now}])
    journal.record("quota_filing.submitted", "quota_filing", filing_id, by, revision=row.revision, late=row.is_late)


def _representative(values: Mapping[str, Any], unit: Any) -> int | None:
    """The unit named for a shared canteen, by name or credit code. Raises InvalidInput at its field."""
    if values["canteen"] != "shared" or not values["representative"]:
        return None
    said = values["representative"]
    found = db.session().scalars(
        select(Organisation.id).where(Organisation.kind == "unit", Organisation.status == "active",
                                      (Organisation.name == said) | (Organisation.credit_code == said))).all()
    if len(found) != 1 or found[0] == unit.id:
        raise InvalidInput({"representative": [N_("Another unit's full name or credit code, as it is registered.")]})
    return found[0]


def _lock(unit_id: int, representative: int | None) -> None:
    """Two units that name each other at once take turns."""
    db.session().execute(select(Organisation.id).where(Organisation.id.in_({unit_id, representative or unit_id}))
                         .order_by(Organisation.id).with_for_update())


def _content(year: int, values: Mapping[str, Any], unit: Any, representative: int | None,
             submit: bool) -> dict[str, Any]:
    """What is kept of a filing, with its quotas; raises InvalidInput with every wrong field."""
    wrong: dict[str, list[Any]] = {}
    book = rules.Book(year)
    kept: dict[str, Any] = {
        name: values[name] or (False if name == "union_demand" else 0 if name.endswith(("_fen", "_points")) else "")
        for name in CONTENT}
    cooks = kept["canteen"] in WITH_CANTEEN
    if not cooks:
        kept |= {"canteen_base_fen": 0, "canteen_points": 0}
        _check_named(unit, year, wrong)
    if kept["canteen"] == "none" and NO_CANTEEN not in kept["remark"]:
        kept["remark"] = f"{NO_CANTEEN} {kept['remark']}".strip()
    if kept["canteen"] != "outsourced":
        kept["contractor"] = ""
    if not kept["union_demand"]:
        kept |= {"union_base_fen": 0, "union_points": 0}
    if submit:
        _check_full(kept, representative, wrong)
    if representative is not None:
        _check_represents(representative, year, wrong)
    for fund, applies in (("canteen", cooks), ("union", kept["union_demand"])):
        rule = book.for_filing(unit.division_id, unit.unit_type, fund) if applies else None
        _check_ratio(kept, fund, rule, year, wrong, needed=submit and cooks and fund == "canteen")
        kept[f"{fund}_rule_id"] = rule.id if rule else None
        kept[f"{fund}_quota_fen"] = money.part_of(kept[f"{fund}_base_fen"], kept[f"{fund}_points"])
    if wrong:
        raise InvalidInput(wrong)
    return {**kept, "representative_id": representative}


def _check_full(kept: Mapping[str, Any], representative: int | None, wrong: dict[str, list[Any]]) -> None:
    needed = {"contact": "contact", "phone": "phone"}
    if kept["canteen"] in WITH_CANTEEN:
        needed |= {"canteen_base": "canteen_base_fen", "canteen_ratio": "canteen_points"}
    if kept["canteen"] == "outsourced":
        needed["contractor"] = "contractor"
    if kept["union_demand"]:
        needed["union_base"] = "union_base_fen"
    wrong.update({field: [N_("Please fill this in.")] for field, name in needed.items() if not kept[name]})
    if kept["canteen"] == "shared" and representative is None:
        wrong["representative"] = [N_("Please name the unit that files the whole canteen.")]


def _check_ratio(kept: Mapping[str, Any], fund: str, rule: Any, year: int, wrong: dict[str, list[Any]],
                 needed: bool) -> None:
    points, field = kept[f"{fund}_points"], f"{fund}_ratio"
    if rule is None:
        if needed:
            wrong.setdefault(field, [NoRule(year=year)])
    elif points < rule.min_points and (points or (kept[f"{fund}_base_fen"] and fund == "union")):
        wrong[field] = [RatioTooLow(least=money.percent(rule.min_points), document=rule.document_name,
                                    number=rule.document_number)]


def _check_named(unit: Any, year: int, wrong: dict[str, list[Any]]) -> None:
    """A unit that others name has the canteen."""
    other = db.session().scalar(
        select(Organisation.name).join(QuotaFiling, QuotaFiling.unit_id == Organisation.id)
        .where(QuotaFiling.representative_id == unit.id, QuotaFiling.year == year, QuotaFiling.state != "closed")
        .limit(1))
    if other is not None:
        wrong["canteen"] = [IsNamed(unit=other)]


def _check_represents(representative: int, year: int, wrong: dict[str, list[Any]]) -> None:
    """Whoever represents files a canteen, and names nobody."""
    found = db.session().execute(
        select(Organisation.name, QuotaFiling.canteen).join(QuotaFiling, QuotaFiling.unit_id == Organisation.id)
        .where(Organisation.id == representative, QuotaFiling.year == year, QuotaFiling.state != "closed")).first()
    if found is not None and found.canteen not in WITH_CANTEEN:
        wrong["representative"] = [NotThatUnit(unit=found.name)]


# ---- review ---------------------------------------------------------------------------------------------------------


def own(filing_id: int, by: Visitor) -> Any:
    """A filing of the visitor's unit or of one it supervises. Raises NotFound."""
    found = db.session().execute(
        select(FILING, Organisation.parent_id, Organisation.division_id)
        .join(Organisation, Organisation.id == FILING.c.unit_id)
        .where(FILING.c.id == filing_id, (FILING.c.unit_id == by.organisation_id)
               | ((Organisation.parent_id == by.organisation_id) & (FILING.c.state != "draft")))).first()
    if found is None:
        raise NotFound()
    return found


def review(filing_id: int, revision: int, approve: bool, reason: str, by: Visitor) -> None:
    """The supervising unit's word on what was submitted. Raises NotFound, FilingMoved, SecondPersonNeeded."""
    filing = own(filing_id, by)
    if filing.parent_id != by.organisation_id:
        raise NotFound()
    _check_second(filing, by)
    if not approve:
        _return(filing, ("submitted",), revision, reason, by)
        return
    if filing.state != "submitted":
        raise FilingMoved()
    _move(filing_id, "submitted", revision, state="reviewed", reviewed_by=by.id, reviewed_at=clock.now())
    journal.record("quota_filing.reviewed", "quota_filing", filing_id, by, revision=revision)


def decides(filing: Any, by: Visitor) -> bool:
    """Whether the visitor's finance office is the nearest over the unit."""
    near = offices.over(filing.division_id, "finance") if filing.division_id else []
    return by.office_kind == "finance" and near[:1] == [by.organisation_id]


def decide(filing: Any, revision: int, approve: bool, reason: str, by: Visitor) -> None:
    """The finance office's word, after the supervising unit's where there is one; an approved one may be returned.

    Raises NotAllowed, FilingMoved, SecondPersonNeeded, InvalidInput.
    """
    if not decides(filing, by):
        raise NotAllowed()
    _check_second(filing, by)
    ready = "reviewed" if filing.parent_id else "submitted"
    if not approve:
        _return(filing, (ready, "approved"), revision, reason, by)
        return
    if filing.state != ready:
        raise FilingMoved()
    _move(filing.id, ready, revision, state="approved", decided_by=by.id, decided_at=clock.now())
    journal.record("quota_filing.approved", "quota_filing", filing.id, by, revision=revision)


def _check_second(filing: Any, by: Visitor) -> None:
    """Nobody reviews what they submitted, nor decides on what they reviewed."""
    if by.id in (filing.submitted_by, filing.reviewed_by):
        raise SecondPersonNeeded()


def _return(filing: Any, states: tuple[str, ...], revision: int, reason: str, by: Visitor) -> None:
    if not reason:
        raise InvalidInput({"reason": [N_("Say what is to be corrected; the unit reads it.")]})
    if filing.state not in states:
        raise FilingMoved()
    _move(filing.id, filing.state, revision, state="returned", reason=reason)
    journal.record("quota_filing.returned", "quota_filing", filing.id, by, revision=revision, reason=reason)


def _move(filing_id: int, seen: str, revision: int, /, **changes: Any) -> int:
    """Change a filing that still stands as it was seen. Raises FilingMoved."""
    moved = db.session().scalar(
        update(QuotaFiling).where(QuotaFiling.id == filing_id, QuotaFiling.state == seen,
                                  QuotaFiling.revision == revision)
        .values(**changes).returning(QuotaFiling.id))
    if moved is None:
        raise FilingMoved()
    return int(moved)
