"""Papers come in, are checked or refused. Verbs flush, edges commit."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from catalog.models import Lot, Product
from catalog.papers import validity
from catalog.papers.kinds import KINDS, LOT, PRODUCT, SUPPLIER
from catalog.papers.models import Paper
from market import clock, db, journal, outbox, places
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotAllowed, NotFound
from market.four_eyes import need_outsider
from market.parties import Organisation
from market.places import Division


class AlreadyRefused(Conflict):
    code = "paper_refused"
    text = N_("This paper has already been refused.")


class AlreadyChecked(Conflict):
    code = "paper_checked"
    text = N_("This paper has already been checked.")


def add(values: Mapping[str, Any], file_id: int, supplier_id: int, by: Visitor | None) -> Paper:
    """Keep a paper of a supplier, of its product (`product_id`) or of its lot (`lot_id`); it counts at once, but
    where the office refused one like it: then only once it is checked.

    A newer one of the same kind replaces it by counting longer; the older row stays. Raises InvalidInput for days that
    cannot be or a kind that is about something else, NotFound for somebody else's product or lot.
    """
    about = _about(values, supplier_id)
    _check(values)
    paper = Paper(supplier_id=supplier_id, kind=values["kind"], number=values["number"], issuer=values["issuer"],
                  issued_on=values["issued_on"], valid_until=values["valid_until"], file_id=file_id,
                  added_by=by.id if by else None, added_at=clock.now(), state="unchecked", reason="", **about)
    db.session().add(paper)
    db.session().flush()
    if paper.lot_id is None:
        validity.recompute(supplier_id)
    journal.record("paper.added", "paper", paper.id, by, paper=paper.kind, number=paper.number,
                   valid_until=paper.valid_until.isoformat() if paper.valid_until else None)
    return paper


def _about(values: Mapping[str, Any], supplier_id: int) -> dict[str, int | None]:
    """What the paper is about: the narrowest of lot, product and supplier that its kind allows and the form names."""
    named = {LOT: values.get("lot_id"), PRODUCT: values.get("product_id"), SUPPLIER: None}
    kind = KINDS[values["kind"]]
    scope = next((s for s in (LOT, PRODUCT) if s in kind.scopes and named[s]), None)
    if scope is None and SUPPLIER not in kind.scopes:
        if PRODUCT in kind.scopes:
            raise InvalidInput({"product_id": [N_("Please choose the goods that this paper is about.")]})
        raise InvalidInput({"lot_id": [N_("Please choose the lot that this paper is about.")]})
    if scope is not None:
        thing = Lot if scope == LOT else Product
        own = db.session().scalar(select(thing.id).where(thing.id == named[scope], thing.supplier_id == supplier_id))
        if own is None:
            raise NotFound()
    return {"product_id": named[PRODUCT] if scope == PRODUCT else None, "lot_id": named[LOT] if scope == LOT else None}


def _check(values: Mapping[str, Any]) -> None:
    today, until = clock.today(), values["valid_until"]
    if values["issued_on"] > today:
        raise InvalidInput({"issued_on": [N_("This day lies in the future.")]})
    if until is not None and until < today:
        raise InvalidInput({"valid_until": [N_("This paper has already ended. Please add the new one.")]})
    if KINDS[values["kind"]].numbered and not values["number"]:
        raise InvalidInput({"number": [N_("Please fill this in.")]})


def mark_checked(paper_id: int, by: Visitor) -> Paper:
    """An officer of the county's agriculture office has looked at a paper and found it right."""
    paper = _in_office(paper_id, by)
    if paper.state == "checked":
        raise AlreadyChecked()
    _decide(paper, "checked", "", by)
    if paper.lot_id is None:
        validity.recompute(paper.supplier_id)
    return paper


def refuse(paper_id: int, reason: str, by: Visitor) -> Paper:
    """A paper is not right, even if it was thought so before: it counts no longer, and the supplier hears why."""
    paper = _in_office(paper_id, by)
    _decide(paper, "refused", reason, by)
    if paper.lot_id is None:
        validity.recompute(paper.supplier_id)
    outbox.enqueue("paper.refused", {"paper_id": paper.id})
    return paper


def _decide(paper: Paper, state: str, reason: str, by: Visitor) -> None:
    paper.state, paper.reason, paper.decided_by, paper.decided_at = state, reason, by.id, clock.now()
    db.session().flush()
    journal.record("paper." + state, "paper", paper.id, by, reason=reason)


def _in_office(paper_id: int, by: Visitor) -> Paper:
    """A paper of the officer's area, locked.

    Raises NotFound elsewhere, NotAllowed for other offices, OwnCooperative.
    """
    paper = db.session().scalar(
        select(Paper).where(Paper.id == paper_id, Paper.supplier_id.in_(suppliers_of(by))).with_for_update()
        .execution_options(populate_existing=True))
    if paper is None:
        raise NotFound()
    if by.office_kind != "agriculture":
        raise NotAllowed()
    need_outsider(paper.supplier_id, by)
    if paper.state == "refused":
        raise AlreadyRefused()
    return paper


def suppliers_of(by: Visitor) -> Any:
    """The suppliers at home in an official's area, as a select of ids."""
    return (select(Organisation.id).join(Division, Division.id == Organisation.division_id)
            .where(Organisation.kind == "supplier", places.lies_in(by.division_id)))
