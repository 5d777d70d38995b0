"""Keeping the province's forms of an office: uploaded, mapped, renamed, replaced by a newer one, put away."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import func, select

from market import clock, db, files, journal
from market.access import Visitor
from market.errors import N_, Conflict, InvalidInput, NotFound
from market.files import StoredFile
from market.parties import Organisation
from orders.forms import mapping
from orders.forms.finding import Found
from orders.forms.mapping import Line
from orders.forms.models import ReportForm, ReportFormVersion

THING = "report_form"
UPLOADED, MAPPED, RENAMED, PUT_AWAY, BROUGHT_BACK = (f"form.{act}" for act in (
    "uploaded", "mapped", "renamed", "put_away", "brought_back"))
CONTENT_TYPE = "application/vnd.sijin.report-form"
LONGEST_NAME = 80
FORMS, VERSIONS = db.table(ReportForm), db.table(ReportFormVersion)
_INVISIBLE = re.compile(r"[\W_]+")


class NameTaken(Conflict):
    """Two forms of one name could not be told apart."""

    status = 422
    code = "form_name_taken"
    text = N_("Your office has a form of this name already.")


class FormAway(Conflict):
    """It is not filled any more."""

    code = "form_put_away"
    text = N_("This form was put away. Bring it back first.")


class NotMapped(Conflict):
    """Nobody has said what its headings mean."""

    code = "form_not_mapped"
    text = N_("The headings of this form are not mapped yet.")


class FormChanged(Conflict):
    """What was confirmed is not what is there now."""

    code = "form_changed"
    text = N_("Somebody changed this form meanwhile. Please look at it again.")


@dataclass(frozen=True)
class Upload:
    """A workbook that may be kept: its bytes, its own name, where its headings lie, the report that was chosen."""

    content: bytes
    file_name: str
    found: Found
    report: str


def own(form_id: int, by: Visitor) -> ReportForm:
    """A form of the visitor's office. Raises NotFound for any other."""
    row = db.session().scalar(select(ReportForm).where(
        ReportForm.id == form_id, ReportForm.organisation_id == by.organisation_id))
    if row is None:
        raise NotFound()
    return row


def newest(form: ReportForm) -> ReportFormVersion:
    """What was uploaded or confirmed last, whether it is mapped or not."""
    return db.session().scalars(select(ReportFormVersion).where(ReportFormVersion.form_id == form.id)
                                .order_by(ReportFormVersion.number.desc()).limit(1)).one()


def in_use(form: ReportForm) -> ReportFormVersion | None:
    """The version that is filled, None before anything is mapped."""
    return db.session().scalar(select(ReportFormVersion).where(
        ReportFormVersion.form_id == form.id, ReportFormVersion.number == form.version))


def to_fill(form_id: int, by: Visitor) -> tuple[ReportForm, ReportFormVersion]:
    """A form of the visitor's office and the version that is filled. Raises FormAway and NotMapped."""
    form = own(form_id, by)
    if form.put_away_at is not None:
        raise FormAway()
    version = in_use(form)
    if version is None:
        raise NotMapped()
    return form, version


def content_of(version: ReportFormVersion, folder: Path) -> bytes:
    """The empty workbook. Raises NotFound where a restored site has not got its files."""
    name = db.session().scalars(select(StoredFile.name).where(StoredFile.id == version.file_id)).one()
    try:
        return (folder / name).read_bytes()
    except FileNotFoundError:
        raise NotFound() from None


# ---- changes --------------------------------------------------------------------------------------------------------


def upload(sent: Upload, by: Visitor, folder: Path) -> int:
    """A new form, whose headings are to be mapped next; its id."""
    if by.organisation_id is None:
        raise NotFound()
    form = ReportForm(organisation_id=by.organisation_id, name=_first_name(sent), version=0, created_by=by.id,
                      created_at=clock.now())
    db.session().add(form)
    db.session().flush()
    _add_version(form, sent, 1, by, folder)
    return form.id


def replace(form_id: int, sent: Upload, by: Visitor, folder: Path) -> int:
    """A newer workbook of a form: the next version, filled once its headings are confirmed. Raises FormAway."""
    form = _locked(form_id, by)
    number = newest(form).number + 1
    _add_version(form, sent, number, by, folder)
    return number


def _add_version(form: ReportForm, sent: Upload, number: int, by: Visitor, folder: Path) -> None:
    file = files.keep((sent.content, CONTENT_TYPE, ".xlsx"), sent.file_name, "own", by, folder)
    db.session().add(ReportFormVersion(
        form_id=form.id, number=number, file_id=file.id, report=sent.report, shape=asdict(sent.found), lines=[],
        compare=[], uploaded_by=by.id, uploaded_at=clock.now()))
    db.session().flush()
    journal.record(UPLOADED, THING, form.id, by, version=number, sha256=file.sha256, report=sent.report)


def _first_name(sent: Upload) -> str:
    """The title above the headings, else the file's name; whoever confirms may change it."""
    for text in (sent.found.title, Path(sent.file_name).stem, sent.found.sheet):
        name = "".join(c for c in " ".join(text.split()) if c.isprintable())[:LONGEST_NAME]
        if _INVISIBLE.sub("", name):
            return name
    return "XLSX"


def confirm(form_id: int, number: int, name: str, report: str, lines: Sequence[Line], compare: Sequence[str],
            by: Visitor) -> None:
    """The headings mean this from now on; what was confirmed before stays as an earlier version.

    `number` is the version that was looked at. Raises FormAway, FormChanged, NameTaken at 'name'.
    """
    form = _locked(form_id, by)
    version = newest(form)
    if version.number != number:
        raise FormChanged()
    if version.confirmed_at is not None:
        version = _copy(version, by)
    version.report, version.lines, version.compare = report, mapping.kept_lines(lines), list(compare)
    version.confirmed_by, version.confirmed_at = by.id, clock.now()
    _need_free(name, form)
    form.name, form.version = name, version.number
    db.session().flush()
    journal.record(MAPPED, THING, form.id, by, version=version.number, name=name, report=report,
                   lines=version.lines)


def _copy(version: ReportFormVersion, by: Visitor) -> ReportFormVersion:
    made = ReportFormVersion(form_id=version.form_id, number=version.number + 1, file_id=version.file_id,
                             shape=version.shape, uploaded_by=by.id, uploaded_at=clock.now())
    db.session().add(made)
    return made


def rename(form_id: int, name: str, by: Visitor) -> None:
    """Call a form something else. Raises FormAway, NameTaken at 'name'."""
    form = _locked(form_id, by)
    before = form.name
    if name == before:
        return
    _need_free(name, form)
    form.name = name
    db.session().flush()
    journal.record(RENAMED, THING, form.id, by, before=before, after=name)


def put_away(form_id: int, by: Visitor) -> None:
    """It is not offered any more; nothing of it is lost. Raises FormAway."""
    form = _locked(form_id, by)
    form.put_away_at = clock.now()
    db.session().flush()
    journal.record(PUT_AWAY, THING, form.id, by)


def bring_back(form_id: int, by: Visitor) -> None:
    """It is filled again. Raises NameTaken; a form that is not put away stays as it is."""
    form = _locked(form_id, by, away=True)
    if form.put_away_at is None:
        return
    if form.version and _is_taken(form.name, form):
        raise NameTaken()
    form.put_away_at = None
    db.session().flush()
    journal.record(BROUGHT_BACK, THING, form.id, by)


def _locked(form_id: int, by: Visitor, away: bool = False) -> ReportForm:
    """The form, no other person's at this moment: one after another numbers its versions and takes a name."""
    form = db.session().scalar(select(ReportForm).where(
        ReportForm.id == form_id, ReportForm.organisation_id == by.organisation_id).with_for_update())
    if form is None:
        raise NotFound()
    if form.put_away_at is not None and not away:
        raise FormAway()
    return form


def _need_free(name: str, form: ReportForm) -> None:
    if _is_taken(name, form):
        raise InvalidInput({"name": [NameTaken()]})


def _is_taken(name: str, form: ReportForm) -> bool:
    """Names of an office are taken one after another, under its own lock."""
    db.session().execute(select(Organisation.id).where(Organisation.id == form.organisation_id).with_for_update())
    return bool(db.session().scalar(select(func.count()).select_from(FORMS).where(
        FORMS.c.organisation_id == form.organisation_id, FORMS.c.name == name, FORMS.c.id != form.id,
        FORMS.c.version > 0, FORMS.c.put_away_at.is_(None))))
