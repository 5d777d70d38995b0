"""通报 as everybody reads it: the archive, a notice on its page, on paper and as files, each by what one may know."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask_login import current_user

from market import clock, db, downloads, journal, money, typeset
from market.access import Visitor, can, public
from market.errors import N_, NotFound
from market.i18n import gettext as _
from market.i18n import ngettext
from market.places import Division
from market.waiting import Waiting
from market.web import MenuEntry, page_number
from orders.bulletins import content, drafting, lists, objecting, words
from orders.bulletins.content import Audience, Told
from orders.bulletins.lists import Sight
from orders.bulletins.spans import Span, newest

bp = Blueprint("bulletins", __name__, url_prefix="/bulletins")

MENU = (
    MenuEntry("office", N_("Progress notices"), "bulletins.index", "bulletin.read", "report", group="todo"),
    MenuEntry("shop", N_("Progress notices"), "bulletins.index", None, "report"),
)
BULLETIN = "<int(max=999999999999):bulletin_id>"


def due(visitor: Visitor) -> list[tuple[Span, str]]:
    """Weeks and months just over without a notice, for the city's office: each with the sentence of its button."""
    texts = {"week": N_("Draft the notice of last week"), "month": N_("Draft the notice of last month")}
    return [(span, str(_(texts[span.kind]))) for span in lists.due(visitor)]


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """For the city: notices to draft, objections to answer, notices to publish. For a county: notices to look at."""
    if can(visitor, "bulletin.keep") and drafting.may_keep(visitor):
        for span, text in due(visitor):
            yield Waiting(f"{text}{_(': ')}{span.name}", url_for("bulletins.index"))
        for one in lists.unanswered():
            yield Waiting(ngettext("%(num)s objection to a progress notice waits for an answer.",
                                   "%(num)s objections to a progress notice wait for an answer.", one.unanswered),
                          url_for("bulletins.show", bulletin_id=one.id), overdue=one.open_until < clock.today())
        for one in lists.to_publish(visitor):
            yield Waiting(_("The progress notice of %(period)s waits for a second person to publish it.",
                            period=drafting.span_of(one).name), url_for("bulletins.show", bulletin_id=one.id))
    elif can(visitor, "bulletin.object") and objecting.county_of(visitor) is not None:
        for one in lists.open_now(clock.today()):
            yield Waiting(_("The progress notice of %(period)s is open to you until %(day)s.",
                            period=drafting.span_of(one).name, day=one.open_until.isoformat()),
                          url_for("bulletins.show", bulletin_id=one.id))


@bp.get("")
@public
def index() -> str:
    """Every notice that this visitor may see, the newest first."""
    sight = lists.sight_of(current_user)
    keeps = sight.drafts and drafting.may_keep(current_user) and can(current_user, "bulletin.keep")
    return render_template("orders/bulletins/index.html", found=lists.page(sight, page_number()), sight=sight,
                           due=due(current_user) if keeps else [], keeps=keeps, words=words,
                           newest=newest("week").first_day, span_of=drafting.span_of,
                           county=objecting.county_of(current_user) if sight.open else None)


@bp.get(f"/{BULLETIN}")
@public
def show(bulletin_id: int) -> str:
    """A notice with what one may do about it now."""
    sight = lists.sight_of(current_user)
    one = lists.one(bulletin_id, sight)
    told = _told(one, sight)
    county = objecting.county_of(current_user) if sight.open else None
    keeps = sight.drafts and drafting.may_keep(current_user) and can(current_user, "bulletin.keep")
    is_over = one.state == "open" and one.open_until < clock.today()
    return render_template(
        "orders/bulletins/show.html", one=one, told=told, sight=sight, keeps=keeps, words=words,
        span=drafting.span_of(one), content=content, is_over=is_over, number=number_of(one),
        mine=keeps and one.drawn_by == current_user.id,
        may_object=county is not None and one.state == "open" and not is_over,
        own_row=_own_row(told, county), figures=_figures(told), outcomes=_outcomes(),
        kinds={key: kind for key, _heading, kind in told["columns"]}, objections=_objections(one, sight, county),
        changes=list(lists.changes(bulletin_id)) if sight.drafts else [],
        acts=journal.timeline("bulletin", bulletin_id) if sight.drafts else [], tables=content.tables(told),
        head=_head(one), sha256=_sha256(one), drawn_at=_at(datetime.fromisoformat(told["drawn_at"])))


@bp.get(f"/{BULLETIN}.pdf")
@public
def pdf(bulletin_id: int) -> Response:
    """A4 upright, with the chain's head and who signed; names of officials only among offices."""
    one, told = _read(bulletin_id)
    drawn_at = datetime.fromisoformat(told["drawn_at"])
    made = typeset.pdf(
        "progress_notice.typ", one=one, told=told, span=drafting.span_of(one), number=number_of(one), words=words,
        tables=content.tables(told), totals={"values": told["totals"], "instead": {}}, cell=_printed,
        said=content.said, heading_of=content.heading_words, head=_head(one), sha256=_sha256(one),
        drawn_at=_at(drawn_at), drawn_day=clock.business_date(drawn_at), signers=_signers(one),
        objections=_how_many_objected(one))
    response = Response(made, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{_file_name(one)}.pdf"'
    return response


@bp.get(f"/{BULLETIN}.csv", defaults={"ending": "csv"})
@bp.get(f"/{BULLETIN}.xlsx", defaults={"ending": "xlsx"})
@public
def download(bulletin_id: int, ending: str) -> Response:
    """Counties, or with ?table=units the units, as a table."""
    one, told = _read(bulletin_id)
    which = "units" if request.args.get("table") == "units" else "counties"
    title = f"{_(words.KINDS[one.kind])} {drafting.span_of(one).name} {number_of(one)}".strip()
    about = [_("Ledger head: %(head)s", head=_head(one) or _("nothing sealed yet")),
             _("Checksum (SHA-256)") + _(": ") + _sha256(one)]
    return downloads.table(content.as_table(told, title, about, which), f"{_file_name(one)}-{which}", ending)


def _read(bulletin_id: int) -> tuple[Any, Told]:
    sight = lists.sight_of(current_user)
    one = lists.one(bulletin_id, sight)
    return one, _told(one, sight)


def _told(one: Any, sight: Sight) -> Told:
    """The newest drawing as this visitor may read it."""
    told, _newest_head = drafting.kept(one.id, one.version)
    county = objecting.county_of(current_user) if sight.open else None
    code = db.session().get_one(Division, county).code if county is not None else None
    return content.for_audience(told, Audience(sight.drafts, code, sight.open))


def _own_row(told: Told, county: int | None) -> Told | None:
    code = db.session().get_one(Division, county).code if county is not None else ""
    return next((row for row in told["rows"] if row["place"] == code), None)


def _figures(told: Told) -> Mapping[str, str]:
    """Headings by key, of figures that one may object to."""
    return {key: heading for key, heading, _kind in told["columns"] if key in content.FIGURES}


def _outcomes() -> list[tuple[str, str]]:
    """What an answer may say."""
    return [(key, str(_(text))) for key, (text, _tone) in words.OUTCOMES.items()]


def _objections(one: Any, sight: Sight, county: int | None) -> Any:
    """All of them for the city and once it is published; a county's own before. Not for the public."""
    if not sight.open:
        return []
    if sight.drafts or one.state == "published":
        return lists.objections(one.id)
    return lists.objections(one.id, county) if county is not None else []


def number_of(one: Any) -> str:
    """'No. 3 of 2026'; nothing before it is published."""
    return str(_("No. %(number)s of %(year)s", number=one.number, year=one.year)) if one.number else ""


def _head(one: Any) -> str:
    return one.head or drafting.kept_text(one.id, one.version)[1]


def _sha256(one: Any) -> str:
    return one.sha256 or content.checksum(*drafting.kept_text(one.id, one.version))


def _printed(row: Told, key: str, kind: str) -> str:
    """A cell on paper: yuan with thousands marks, shares in percent; what has grown carries a plus."""
    value = content.cell(row, key, kind)
    if value is None:
        return "—"
    if isinstance(value, str):
        return value
    shown = {"fen": typeset.FILTERS["yuan"], "percent": money.percent}.get(kind, str)
    return ("+" if key.startswith("change") and value > 0 else "") + str(shown(value))


def _signers(one: Any) -> list[tuple[str, str, str]]:
    """Who drew the figures and who published them, with the moment: by name among offices alone; room for a seal."""
    def name(whose: str | None) -> str:
        return whose or "" if lists.sight_of(current_user).open else str(_("by name in the office's records"))

    return [(str(_("Figures drawn by")), name(one.drawn_name), ""),
            (str(_("Checked and published by")), name(one.published_name),
             _at(one.published_at) if one.published_at else ""),
            (str(_("Seal of the office")), "", "")]


def _how_many_objected(one: Any) -> str | None:
    """A word about objections for what the counties have seen."""
    if one.opened_at is None:
        return None
    told = lists.count_objections(one.id)
    return str(ngettext("%(num)s objection, %(answered)s answered", "%(num)s objections, %(answered)s answered",
                        told.number, answered=told.answered) if told.number else _("No objections."))


def _at(moment: datetime) -> str:
    return str(typeset.FILTERS["moment"](moment))


def _file_name(one: Any) -> str:
    span = drafting.span_of(one)
    first = span.months[0] if span.kind == "month" else span.first_day.isoformat()
    return f"notice-{one.kind}-{first}" + (f"-{one.year}-{one.number}" if one.number else f"-{one.state}")


def need_seen(bulletin_id: int) -> Any:
    """A notice that this visitor sees. Raises NotFound like one that is not there."""
    sight = lists.sight_of(current_user)
    if not sight.open:
        raise NotFound()
    return lists.one(bulletin_id, sight)
