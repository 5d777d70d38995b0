"""The co-operative's bank statements: sent in, columns confirmed once, rows that need a person, uploads."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Blueprint, Response, current_app, flash, render_template, request, url_for
from flask_login import current_user

from market import clock, downloads, sheet_input
from market.access import Visitor, can, requires
from market.errors import N_, InvalidInput, MarketError, NotFound
from market.i18n import gettext as _
from market.i18n import ngettext
from market.waiting import Waiting
from market.web import MenuEntry, once, page_number, parse, see_other, shows_again, whole_argument
from orders.banking import cells, columns, deciding, desk, examples, schemas, suggesting, table, taking
from orders.paying import lists as payments

bp = Blueprint("banking", __name__, url_prefix="/village/bank")

MENU = (MenuEntry("supplier", N_("Bank statements"), "banking.index", "payment.match", "list", group="money"),)
ROW, FILE, UPLOAD = (f"<int(max=999999999999):{name}>" for name in ("row_id", "bank_file_id", "upload_id"))
MOST_QUERY, PREVIEW = 60, 4


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Payments on bank statements that nobody could place yet."""
    if can(visitor, "payment.match") and (count := taking.waiting(visitor)):
        yield Waiting(ngettext("%(num)s payment on the bank statement is not assigned yet.",
                               "%(num)s payments on the bank statement are not assigned yet.", count),
                      url_for("banking.index"))


@bp.get("")
@requires("payment.match")
def index() -> str:
    """Rows by state, each that waits with what it may be; and the form to send a statement."""
    state, query = _asked()
    counts = desk.tabs(current_user, query)
    found = desk.rows(current_user, state, query, page_number(), counts[state].rows)
    open_rows = [row for row in found.rows if row.state in taking.WAITING]
    nearby = suggesting.Nearby(open_rows, current_user)
    return render_template(
        "orders/banking/index.html", state=state, query=query, tabs=counts, found=found, labels=desk.STATE_LABELS,
        explained=desk.EXPLAINED, claim_labels=desk.CLAIM_LABELS, why=suggesting.WHY, waiting=taking.WAITING,
        parts=payments.parts([row.claim_id for row in found.rows if row.claim_id]),
        likely={row.id: nearby.of(row) for row in open_rows}, most=sheet_input.MAX_ROWS,
        megabytes=sheet_input.MAX_BYTES // (1024 * 1024))


def _asked() -> tuple[str, str]:
    state = request.args.get("state", "unknown")
    return (state if state in {*desk.STATE_LABELS, "all"} else "unknown",
            request.args.get("q", "").strip()[:MOST_QUERY])


# ---- files ----------------------------------------------------------------------------------------------------------


@bp.get("/uploads")
@requires("payment.match")
def uploads() -> str:
    """What was sent, and what each file brought."""
    return render_template("orders/banking/uploads.html", found=desk.uploads(current_user, page_number()))


@bp.post("/uploads")
@requires("payment.match")
@shows_again(index)
def upload() -> Response:
    """Take a bank's table at once where its headings are known; else ask what they mean."""
    content, name = _sent()
    before = taking.taken(hashlib.sha256(content).hexdigest(), current_user)
    if before is not None:
        flash(_("This very file was taken before; nothing was counted twice."), "info")
        return see_other("banking.upload_shown", upload_id=before)
    known = {signature: (row.id, row.columns) for signature, row in taking.mappings(current_user).items()}
    with _at_the_file():
        opened = table.open_table(content, known)
        mapping = known.get(opened.signature)
        read = table.read(opened, mapping[1]) if mapping else None

    def work() -> Response:
        file_id = taking.keep(content, name, current_user, _folder())
        if mapping is None or read is None:
            return see_other("banking.file_columns", bank_file_id=file_id)
        return _taken(taking.take(file_id, read, mapping[0], current_user))

    return once(work)


@bp.get(f"/files/{FILE}/columns")
@requires("payment.match")
def file_columns(bank_file_id: int) -> str:
    """Which column means what: as remembered or guessed, with the first lines, for a person to confirm."""
    opened, chosen, bank_name = _opened(bank_file_id)
    lines = [[cells.text(cell) for cell in row] for _number, row in opened.rows[:PREVIEW]]
    return render_template(
        "orders/banking/columns.html", file_id=bank_file_id, headings=[h for h in opened.headings if h],
        all_headings=opened.headings, lines=lines, chosen=chosen, bank_name=bank_name, labels=columns.LABELS)


@bp.post(f"/files/{FILE}/columns")
@requires("payment.match")
@shows_again(file_columns)
def confirm_columns(bank_file_id: int) -> Response:
    """The columns are right: remembered for this bank, and the file is taken."""
    opened, _chosen, _bank = _opened(bank_file_id)
    values = parse(schemas.ColumnsSchema)
    bank_name = values.pop("bank_name")
    chosen = columns.check(values, [heading for heading in opened.headings if heading])
    with _at_the_file():
        read = table.read(opened, chosen)

    def work() -> Response:
        mapping_id = taking.remember(opened.signature, chosen, bank_name, current_user)
        return _taken(taking.take(bank_file_id, read, mapping_id, current_user))

    return once(work)


def _opened(file_id: int) -> tuple[table.Opened, dict[str, str], str]:
    """A kept file with what its columns mean as far as we know, and the name of its bank."""
    file = taking.kept(file_id, current_user)
    known = taking.mappings(current_user)
    try:
        content = (_folder() / file.name).read_bytes()
    except FileNotFoundError:  # restored without its files
        raise NotFound() from None
    opened = table.open_table(content, known)
    mapping = known.get(opened.signature)
    if mapping is not None:
        return opened, dict(mapping.columns), mapping.bank_name
    return opened, columns.guess(opened.headings), ""


def _taken(statement_id: int) -> Response:
    flash(_("The statement is read. What came in stands below; nothing is booked before the manager's yes."), "good")
    return see_other("banking.upload_shown", upload_id=statement_id)


@bp.get(f"/uploads/{UPLOAD}")
@requires("payment.match")
def upload_shown(upload_id: int) -> str:
    """What one file brought."""
    found, states = desk.upload(upload_id, current_user)
    return render_template("orders/banking/upload.html", upload=found, states=states, labels=desk.STATE_LABELS,
                           explained=desk.EXPLAINED)


@bp.get(f"/{examples.EXAMPLE}")
@requires("payment.match")
def example() -> Response:
    return downloads.file(examples.example(clock.today()), examples.EXAMPLE.removesuffix(".csv"), "csv")


@bp.get("/rows.<any(csv, xlsx):ending>")
@requires("payment.match")
def export(ending: str) -> Response:
    """The rows of the tab that is open, as a table."""
    state, query = _asked()
    return downloads.table(desk.export(current_user, state, query, _), f"bank-{state}-{clock.today().isoformat()}",
                           ending)


# ---- rows -----------------------------------------------------------------------------------------------------------


@bp.get(f"/rows/{ROW}")
@requires("payment.match")
def row_shown(row_id: int) -> str:
    """One movement: what it may be, and everything that can be said about it."""
    row = desk.row(row_id, current_user)
    is_open = row.claim_id is None and row.state != "ignored"
    likely = suggesting.Nearby([row], current_user).of(row) if is_open else []
    unit_id = whole_argument("unit")
    return render_template(
        "orders/banking/row.html", row=row, is_open=is_open, likely=likely, labels=desk.STATE_LABELS,
        explained=desk.EXPLAINED, claim_labels=desk.CLAIM_LABELS, why=suggesting.WHY,
        parts=payments.parts([row.claim_id]) if row.claim_id else {}, units=desk.units(current_user) if is_open else [],
        unit_id=unit_id, orders=suggesting.open_orders(current_user, unit_id) if is_open and unit_id else [])


@bp.post(f"/rows/{ROW}/assignment")
@requires("payment.match")
@shows_again(row_shown)
def assign(row_id: int) -> Response:
    """These orders, with these amounts."""
    desk.row(row_id, current_user)  # a foreign one is unknown whatever the form holds
    amounts = schemas.amounts(request.form)

    def work() -> Response:
        deciding.assign(row_id, amounts, current_user)
        flash(_("Assigned. The manager's yes makes it money; until then you can take it back."), "good")
        return see_other("banking.row_shown", row_id=row_id)

    return once(work)


@bp.post(f"/rows/{ROW}/claim")
@requires("payment.match")
@shows_again(row_shown)
def link(row_id: int) -> Response:
    """It is what a unit has announced."""
    desk.row(row_id, current_user)
    claim_id = parse(schemas.LinkSchema)["claim_id"]

    def work() -> Response:
        deciding.link(row_id, claim_id, current_user)
        flash(_("Linked to the unit's claim."), "good")
        return see_other("banking.row_shown", row_id=row_id)

    return once(work)


@bp.post(f"/rows/{ROW}/aside")
@requires("payment.match")
@shows_again(row_shown)
def put_aside(row_id: int) -> Response:
    """It pays for no order."""
    desk.row(row_id, current_user)
    reason = parse(schemas.ReasonSchema)["reason"]

    def work() -> Response:
        deciding.put_aside(row_id, reason, current_user)
        flash(_("Put aside. You can take that back at any time."), "good")
        return see_other("banking.row_shown", row_id=row_id)

    return once(work)


@bp.post(f"/rows/{ROW}/return")
@requires("payment.match")
@shows_again(row_shown)
def take_back(row_id: int) -> Response:
    """Undo what was said or found about a row."""
    def work() -> Response:
        deciding.take_back(row_id, current_user)
        flash(_("Taken back. The payment waits again."), "info")
        return see_other("banking.row_shown", row_id=row_id)

    return once(work)


@bp.post("/again")
@requires("payment.match")
@shows_again(index)
def look_again() -> Response:
    """Compare what waits with the orders of today."""
    def work() -> Response:
        found = taking.look_again(current_user)
        told = ngettext("%(num)s payment was found.", "%(num)s payments were found.", found)
        flash(told, "good" if found else "info")
        return see_other("banking.index")

    return once(work)


# ---- what was sent --------------------------------------------------------------------------------------------------


def _sent() -> tuple[bytes, str]:
    """The file's bytes, never more than may be kept, and its name. Raises InvalidInput at the field."""
    file = request.files.get("file")
    content = file.read(sheet_input.MAX_BYTES + 1) if file is not None else b""
    if file is None or not file.filename or not content:
        raise InvalidInput({"file": [N_("Please choose a file.")]})
    return content, file.filename


@contextmanager
def _at_the_file() -> Iterator[None]:
    """What is wrong with a table is said at the field of the file."""
    try:
        yield
    except InvalidInput:
        raise
    except MarketError as refusal:
        raise InvalidInput({"file": [refusal]}) from refusal


def _folder() -> Path:
    folder: Path = current_app.extensions["sijin"].files_dir
    return folder
