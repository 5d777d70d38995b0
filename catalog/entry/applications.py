"""What an applicant does: fill in the sections, hand in, take back. Verbs flush, edges commit."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from catalog.entry import contents, steps
from catalog.entry.models import (
    CLAIMING,
    EDITABLE,
    Application,
    ApplicationGood,
    ApplicationGoodVillage,
    ApplicationLinkage,
    ApplicationPaper,
)
from catalog.models import Category
from market import clock, db, journal
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound
from market.files import StoredFile
from market.parties import Organisation
from market.places import Division

MOST_ROWS = 50  # of goods, of linkages, of papers
MOST_BYTES = 100 * 1024 * 1024  # of all files that an applicant ever sent, also those taken out again


class NotInYourHands(Conflict):
    """The offices are examining, or have decided."""

    code = "application_with_offices"
    text = N_("The offices hold this application now. To change something, take it back first.")


class CodeTaken(InvalidInput):
    """Somebody came in, or is coming in, under this credit code."""

    def __init__(self) -> None:
        super().__init__({"credit_code": [N_(
            "An organisation with this credit code is here already or is being examined. If it is yours, ask its "
            "manager for a login, or ask your township.")]})


class Incomplete(InvalidInput):
    """Some sections are not filled in."""

    def __init__(self, gaps: Mapping[str, str]) -> None:
        super().__init__({section: [words] for section, words in gaps.items()})


def own(by: Visitor) -> Application:
    """The visitor's own application, for reading. Raises NotFound."""
    found = db.session().scalar(select(Application).where(Application.supplier_id == (by.organisation_id or 0))
                                .execution_options(populate_existing=True))
    if found is None:
        raise NotFound()
    return found


def held(by: Visitor) -> Application:
    """The visitor's own application, locked, while it may be changed. Raises NotFound, NotInYourHands."""
    found = _locked(by)
    if found.state not in EDITABLE:
        raise NotInYourHands()
    return found


def _locked(by: Visitor) -> Application:
    found = db.session().scalar(
        select(Application).where(Application.supplier_id == (by.organisation_id or 0))
        .with_for_update().execution_options(populate_existing=True))
    if found is None:
        raise NotFound()
    return found


# ---- sections -------------------------------------------------------------------------------------------------------


def say_who(application: Application, values: Mapping[str, Any]) -> None:
    """Kind, names and credit code. Raises CodeTaken."""
    if is_taken(values["credit_code"], application):
        raise CodeTaken()
    for name in ("supplier_type", "name", "short_name", "credit_code"):
        setattr(application, name, values[name])
    supplier = db.session().get_one(Organisation, application.supplier_id)
    supplier.name, supplier.short_name = values["name"], values["short_name"] or values["name"]
    if application.is_trader:
        application.proof_kind, application.proof_no = None, ""
    db.session().flush()


def is_taken(credit_code: str, application: Application) -> bool:
    """Whether another organisation, or an application that is under way, has the code."""
    here = select(Organisation.id).where(Organisation.credit_code == credit_code,
                                         Organisation.id != application.supplier_id)
    coming = select(Application.id).where(Application.credit_code == credit_code, Application.id != application.id,
                                          Application.state.in_(CLAIMING))
    read = db.session().scalar
    return read(here.limit(1)) is not None or read(coming.limit(1)) is not None


def say_village(application: Application, code: str) -> None:
    """Where it is at home. Raises InvalidInput for a place that is no village of today."""
    village_id = _villages([code], "village")[0]
    application.village_id = village_id
    db.session().get_one(Organisation, application.supplier_id).division_id = village_id
    db.session().flush()


def _villages(codes: Sequence[str], name: str) -> list[int]:
    found = {row.code: row.id for row in db.session().execute(
        select(Division.code, Division.id)
        .where(Division.code.in_(codes), Division.level == "village", Division.valid_to.is_(None)))}
    if not codes or len(found) != len(set(codes)):
        raise InvalidInput({name: [N_("Please choose one of the list.")]})
    return [found[code] for code in dict.fromkeys(codes)]


def say(application: Application, values: Mapping[str, Any]) -> None:
    """Plain columns: contact and bank account, capacity, producer, proof."""
    for name, value in values.items():
        setattr(application, name, value)
    db.session().flush()


def forget_proof(application: Application) -> None:
    """Not examined elsewhere after all: all offices are asked."""
    application.proof_kind, application.proof_no = None, ""
    _remove_papers(application.id, "proof")
    db.session().flush()


def add_good(application: Application, values: Mapping[str, Any]) -> None:
    """One more kind of goods. Raises InvalidInput for an unknown shelf or village, TooMany."""
    category = db.session().scalar(select(Category.id).where(Category.code == values["category"]))
    if category is None:
        raise InvalidInput({"category": [N_("Please choose one of the list.")]})
    villages = _villages(values["villages"], "villages[]")
    _check_room(ApplicationGood, application.id)
    good = ApplicationGood(application_id=application.id, name=values["name"], category_id=category,
                           harvest_months=values["harvest_months"], yearly_grams=values["yearly_grams"])
    db.session().add(good)
    db.session().flush()
    db.insert_rows(ApplicationGoodVillage, [{"good_id": good.id, "village_id": one} for one in villages])


def remove_good(application: Application, good_id: int) -> None:
    """Raises NotFound for somebody else's."""
    session = db.session()
    good = session.scalar(select(ApplicationGood).where(ApplicationGood.id == good_id,
                                                        ApplicationGood.application_id == application.id))
    if good is None:
        raise NotFound()
    session.execute(delete(ApplicationGoodVillage).where(ApplicationGoodVillage.good_id == good_id))
    session.delete(good)
    session.flush()


def add_linkage(application: Application, values: Mapping[str, Any], evidence: StoredFile) -> None:
    """One more way in which households gain, with its paper."""
    _check_room(ApplicationLinkage, application.id)
    db.session().add(ApplicationLinkage(application_id=application.id, file_id=evidence.id, **values))
    db.session().flush()


def remove_linkage(application: Application, linkage_id: int) -> None:
    """Raises NotFound for somebody else's."""
    gone = db.session().execute(
        delete(ApplicationLinkage).where(ApplicationLinkage.id == linkage_id,
                                         ApplicationLinkage.application_id == application.id)
        .returning(ApplicationLinkage.id)).first()
    if gone is None:
        raise NotFound()


def add_paper(application: Application, kind: str, file: StoredFile, only: bool = False) -> None:
    """One more paper; `only` puts it in the place of the earlier ones of its kind."""
    if only:
        _remove_papers(application.id, kind)
    _check_room(ApplicationPaper, application.id)
    db.session().add(ApplicationPaper(application_id=application.id, kind=kind, file_id=file.id,
                                      added_at=clock.now()))
    db.session().flush()


def remove_paper(application: Application, paper_id: int) -> None:
    """Raises NotFound for somebody else's."""
    paper = db.session().scalar(select(ApplicationPaper).where(
        ApplicationPaper.id == paper_id, ApplicationPaper.application_id == application.id,
        ApplicationPaper.removed_at.is_(None)))
    if paper is None:
        raise NotFound()
    paper.removed_at = clock.now()
    db.session().flush()


def _remove_papers(application_id: int, kind: str) -> None:
    for paper in db.session().scalars(select(ApplicationPaper).where(
            ApplicationPaper.application_id == application_id, ApplicationPaper.kind == kind,
            ApplicationPaper.removed_at.is_(None))):
        paper.removed_at = clock.now()
    db.session().flush()


class TooMany(Conflict):
    """Nobody examines a list that long."""

    code = "too_many_rows"
    text = N_("That is enough here: 50 entries at most.")


class TooMuch(Conflict):
    """The disk belongs to everybody."""

    code = "too_many_bytes"
    text = N_("Your files are more than %(megabytes)s MB together. Ask your township how to send the rest.")


def check_file_room(application: Application, size_bytes: int, entity: Any = None) -> None:
    """Before a file is kept for one more row of `entity`: raises TooMany, TooMuch."""
    if entity is not None:
        _check_room(entity, application.id)
    kept = db.session().scalar(select(func.coalesce(func.sum(StoredFile.size_bytes), 0))
                               .where(StoredFile.organisation_id == application.supplier_id)) or 0
    if kept + size_bytes > MOST_BYTES:
        raise TooMuch(megabytes=MOST_BYTES // (1024 * 1024))


def _check_room(entity: Any, application_id: int) -> None:
    here = [entity.application_id == application_id]
    if entity is ApplicationPaper:
        here.append(ApplicationPaper.removed_at.is_(None))
    if (db.session().scalar(select(func.count()).select_from(entity).where(*here)) or 0) >= MOST_ROWS:
        raise TooMany()


# ---- handing in and taking back -------------------------------------------------------------------------------------


def submit(application: Application, by: Visitor) -> None:
    """To the offices. Raises Incomplete, CodeTaken, steps.NoOffice.

    Offices that have passed it keep their word as long as what they vouched for is the same; all others are asked.
    """
    said = contents.read(application)
    gaps = contents.missing(said)
    if gaps:
        raise Incomplete(gaps)
    if is_taken(application.credit_code or "", application):
        raise CodeTaken()
    application.state, application.submitted_at = "submitted", clock.now()
    try:
        db.session().flush()
    except IntegrityError as taken:  # somebody handed in the same code in this moment
        raise CodeTaken() from taken
    journal.record("application.submitted", "application", application.id, by, **contents.snapshot(said))
    steps.advance(application, by)


def withdraw(by: Visitor) -> None:
    """Take it back; it can be changed and handed in again. Raises NotFound, Conflict."""
    application = _locked(by)
    if application.state not in ("submitted", "returned", "draft"):
        raise Conflict()
    application.state = "withdrawn"
    db.session().flush()
    steps.set_aside(application.id)
    journal.record("application.withdrawn", "application", application.id, by)
