"""Wages, rents, dividends and collectives' money at the village desk: declared in lists, withdrawn, corrected."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, flash, g, render_template, request
from flask_login import current_user

from catalog import weigh_in
from market import file_routes, schemas, sheet_input, uploads
from market.access import requires
from market.errors import N_, InvalidInput
from market.i18n import gettext as _
from market.i18n import ngettext
from market.web import MenuEntry, asked_month, once, page_number, parse, see_other, shows_again, unflatten
from orders.income import corrections, declarations
from orders.linkages import declaring, lists, words
from orders.linkages.schemas import CorrectionSchema, DeclareSchema, ListSchema
from orders.models.income import DECLARED_KINDS

bp = Blueprint("declaring", __name__, url_prefix="/village/declarations")

MENU = (MenuEntry("supplier", N_("Wages, rent, dividends"), "declaring.index", "supplier.read", "people",
                  group="people"),)
DECLARATION = "<int(max=999999999999):declaration_id>"
LABELS = {"month": N_("Month"), "proof": N_("Pay list"), "sheet": N_("Table"), "lines": N_("Who earned how much")}


@bp.get("")
@requires("supplier.read")
def index(declaration_id: int | None = None) -> str:
    """What was declared, by state; with what was taken back of it."""
    state = request.args.get("state", "")
    state = state if state in words.DECLARED else ""
    return render_template("orders/linkages/declared.html", state=state, w=words, asked=declaration_id,
                           found=lists.declared_of(current_user, state, page_number()))


@bp.get("/new")
@requires("income.declare")
def new() -> str:
    """One list: a kind, a month, a proof, and rows; each shows the linkage that it rests on."""
    kind = request.values.get("kind", "wage")
    kind = kind if kind in DECLARED_KINDS else "wage"
    rows, month = _rows(kind), asked_month()
    villages = [row for row in lists.villages(current_user) if row.valid_to is None]
    return render_template(
        "orders/linkages/declare.html", kind=kind, kinds=DECLARED_KINDS, month=month, rows=rows, w=words,
        labels=LABELS, ties=declaring.ties_of_rows(kind, month, [str(row.get("member", "")) for row in rows],
                                                   current_user) if request.method == "POST" else {},
        villages=villages, most=declaring.MOST_ROWS, headings=declaring.HEADINGS, names=_names(),
        members=weigh_in.members(current_user.organisation_id) if kind != "collective" else [],
        most_in_table=declaring.MOST_SHEET_ROWS)


def _rows(kind: str) -> Sequence[Mapping[str, str]]:
    """The rows of a sent form as they were; else members whom such income is agreed with; then empty ones."""
    if request.method == "POST" and not request.path.endswith("/sheet"):
        sent = unflatten(request.form.to_dict()).get("lines", [])
        rows = [row for row in sent if isinstance(row, dict)] if isinstance(sent, list) else []
        empty = declaring.MORE_ROWS if "more" in request.form else max(0, declaring.FIRST_ROWS - len(rows))
    else:
        rows = [{"member": text} for text in declaring.usual(kind, current_user)] if kind != "collective" else []
        empty = max(2, declaring.FIRST_ROWS - len(rows))
    return [*rows, *({} for _empty in range(empty))][:declaring.MOST_ROWS]


def _names() -> dict[str, Any]:
    """The fields of a refused form by the names that people read."""
    return {name: int(name.split("-")[1]) + 1 if name.count("-") == 2 else LABELS.get(name, name)
            for name in g.get("refused_fields", {})}


@bp.post("")
@requires("income.declare")
@shows_again(new)
def declare() -> Any:
    if "more" in request.form:  # more rows, and the linkages of those that are filled in
        return new()
    values, proof = parse(DeclareSchema), uploads.needed("proof")
    rows = {number: row for number, row in enumerate(values["lines"]) if row["amount_fen"] is not None}

    def work() -> Response:
        return _done(declaring.declare(values["kind"], values["month"], rows, proof.keep().id, current_user))

    return once(work)


@bp.post("/sheet")
@requires("income.declare")
@shows_again(new)
def declare_sheet() -> Any:
    """The same from a table of members and amounts; all of its rows or none."""
    values, proof = parse(ListSchema), uploads.needed("proof")
    file = request.files.get("sheet")
    if file is None or not file.filename:
        raise InvalidInput({"sheet": [schemas.REQUIRED]})
    rows = declaring.rows_of_sheet(file.read(sheet_input.MAX_BYTES + 1))
    if not rows:
        raise InvalidInput({"sheet": [schemas.REQUIRED]})

    def work() -> Response:
        try:
            return _done(declaring.declare(values["kind"], values["month"], rows, proof.keep().id, current_user, "%s"))
        except InvalidInput as wrong:
            by_row = {int(name): texts for name, texts in wrong.field_messages(_).items() if name.isdigit()}
            if not by_row:
                raise
            raise InvalidInput({"sheet": declaring.told(by_row)}) from wrong

    return once(work)


def _done(count: int) -> Response:
    flash(ngettext("%(num)s payment is declared. It is income once the village has confirmed it.",
                   "%(num)s payments are declared. They are income once the village has confirmed them.", count),
          "good")
    return see_other("declaring.index")


@bp.post(f"/{DECLARATION}/withdrawal")
@requires("income.declare")
@shows_again(index)
def withdraw(declaration_id: int) -> Any:
    def work() -> Response:
        declarations.withdraw(declaration_id, current_user)
        flash(_("Withdrawn. It was no income yet."), "good")
        return see_other("declaring.index")

    return once(work)


@bp.post(f"/{DECLARATION}/correction")
@requires("income.declare")
@shows_again(index)
def correct(declaration_id: int) -> Any:
    values = parse(CorrectionSchema)

    def work() -> Response:
        corrections.ask(declaration_id, values["amount_fen"], values["reason"], current_user)
        flash(_("Asked for. So much less is income once the village has confirmed it."), "good")
        return see_other("declaring.index")

    return once(work)


@bp.get(f"/{DECLARATION}/proof")
@requires("supplier.read")
def proof(declaration_id: int) -> Response:
    return file_routes.send(lists.own_proof("declaration", declaration_id, current_user))
