"""Imports on two desks, the same pages for both: the co-operative's goods and members, the officials' designations."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask_login import current_user
from marshmallow import Schema

from catalog.importing import desk, papers, runs
from catalog.importing.kinds import Kind
from catalog.importing.models import AT_WORK
from catalog.importing.table import OFFICE_KINDS, SUPPLIER_KINDS
from market import clock, downloads, sheet_input
from market.access import Visitor, can, requires
from market.errors import N_, InvalidInput, NotFound
from market.i18n import ngettext
from market.menus import MenuEntry
from market.schemas import Choice, Input
from market.waiting import Waiting
from market.web import once, page_number, parse, see_other, shows_again

IMPORT = "<int(max=999999999999):import_id>"
STATE_LABELS: Mapping[str, tuple[str, str]] = {  # words and tone
    "queued": (N_("Waits for the check"), "waiting"), "checking": (N_("Being checked"), "waiting"),
    "ready": (N_("Checked: you decide"), "info"), "faulty": (N_("To be mended"), "wrong"),
    "refused": (N_("Cannot be taken"), "wrong"), "confirmed": (N_("Waits to be written"), "waiting"),
    "writing": (N_("Being written"), "waiting"), "done": (N_("Imported"), "good"),
    "cancelled": (N_("Cancelled"), "quiet"),
}


@dataclass(frozen=True)
class Desk:
    """A desk's blueprint name, address, verb, kinds of tables."""

    name: str
    prefix: str
    verb: str
    kinds: Mapping[str, Kind]


VILLAGE = Desk("village_imports", "/village/imports", "sheet.import", SUPPLIER_KINDS)
OFFICE = Desk("office_imports", "/office/imports", "place.manage", OFFICE_KINDS)
MENU = (MenuEntry("supplier", N_("Tables"), "village_imports.index", "sheet.import", "upload", group="keep"),
        MenuEntry("office", N_("Tables"), "office_imports.index", "place.manage", "upload", group="keep"))


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Checked tables that somebody has still to decide about."""
    yield from waiting_at(visitor, VILLAGE, OFFICE)


def waiting_at(visitor: Visitor, *desks: Desk) -> Iterator[Waiting]:
    """Those of some desks; a higher storey has a desk of its own."""
    for one in desks:
        if can(visitor, one.verb) and (count := desk.waiting(visitor)):
            yield Waiting(ngettext("%(num)s checked table waits for you to have it imported.",
                                   "%(num)s checked tables wait for you to have them imported.", count),
                          url_for(f"{one.name}.index"))


def blueprint(one: Desk) -> Blueprint:
    """The pages of a desk; another desk's kinds are unknown here."""
    bp = Blueprint(one.name, __name__, url_prefix=one.prefix)
    guarded = requires(one.verb)

    @bp.get("")
    @guarded
    def index() -> str:
        return render_template("catalog/importing/index.html", desk=one, states=STATE_LABELS, at_work=AT_WORK,
                               chosen=request.values.get("kind"), most=sheet_input.MAX_ROWS,
                               megabytes=sheet_input.MAX_BYTES // (1024 * 1024),
                               found=desk.imports(current_user, one.kinds, page_number()))

    @bp.post("")
    @guarded
    @shows_again(index)
    def upload() -> Response:
        kind = one.kinds[parse(_chooses(one))["kind"]]
        content, name = _sent()
        runs.suffix_of(content)
        folder = current_app.extensions["sijin"].files_dir
        return once(lambda: see_other(f"{one.name}.show",
                                      import_id=runs.begin(kind, content, name, current_user, folder)))

    @bp.get(f"/{IMPORT}")
    @guarded
    def show(import_id: int) -> str:
        story = desk.story(import_id, current_user, one.kinds)
        return render_template(
            "catalog/importing/show.html", desk=one, story=story, kind=one.kinds[story.kind], states=STATE_LABELS,
            at_work=story.state in AT_WORK, before=desk.has_come_before(story), heading=papers.heading,
            faults=desk.faults(import_id, story.faults, page_number()), column_name=papers.column_name,
            sentence=papers.sentence)

    @bp.post(f"/{IMPORT}/confirmation")
    @guarded
    @shows_again(show)
    def confirm(import_id: int) -> Response:
        return once(lambda: _then_shown(one, runs.confirm, import_id))

    @bp.post(f"/{IMPORT}/cancellation")
    @guarded
    @shows_again(show)
    def cancel(import_id: int) -> Response:
        return once(lambda: _then_shown(one, runs.cancel, import_id))

    @bp.get(f"/{IMPORT}/faults.<any(csv, xlsx):ending>")
    @guarded
    def faults(import_id: int, ending: str) -> Response:
        story = desk.story(import_id, current_user, one.kinds)
        table = papers.faults_table(one.kinds[story.kind], desk.all_faults(import_id))
        return downloads.file(papers.written(table, ending), f"to-mend-{import_id}", ending)

    @bp.get("/templates/<sheet>.xlsx")
    @guarded
    def template(sheet: str) -> Response:
        kind = _kind(one, sheet)
        return downloads.file(papers.template(kind, current_user), f"{kind.name}-template", "xlsx")

    @bp.get("/exports/<sheet>.<any(csv, xlsx):ending>")
    @guarded
    def export(sheet: str, ending: str) -> Response:
        kind = _kind(one, sheet)
        return downloads.file(papers.written(papers.as_table(kind, current_user), ending),
                     f"{kind.name}-{clock.today().isoformat()}", ending)

    return bp


def _chooses(one: Desk) -> type[Schema]:
    return Input.from_dict({"kind": Choice(one.kinds, required=True)})


def _kind(one: Desk, name: str) -> Kind:
    kind = one.kinds.get(name)
    if kind is None or not can(current_user, kind.verb):
        raise NotFound()
    return kind


def _sent() -> tuple[bytes, str]:
    """The file's bytes, never more than may be kept, and its name."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise InvalidInput({"file": [N_("Please choose a file.")]})
    return file.read(sheet_input.MAX_BYTES + 1), file.filename


def _then_shown(one: Desk, act: Callable[[int, Mapping[str, Kind], Visitor], None], import_id: int) -> Response:
    act(import_id, one.kinds, current_user)
    return see_other(f"{one.name}.show", import_id=import_id)


village_bp: Any = blueprint(VILLAGE)
office_bp: Any = blueprint(OFFICE)
