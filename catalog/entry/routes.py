"""The applicant's own application, a few questions a page."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, render_template, request
from flask_login import current_user

from catalog import shelves
from catalog.entry import applications, contents, labels, lists, standing, steps
from catalog.entry.models import EDITABLE, Application, ApplicationLinkage, ApplicationPaper
from catalog.entry.schemas import (
    CapacitySchema,
    ContactSchema,
    GoodSchema,
    LinkageSchema,
    PaperSchema,
    ProducerSchema,
    ProofSchema,
    RemovalSchema,
    VillageSchema,
    WhoSchema,
)
from market import logins, uploads
from market.access import requires
from market.errors import N_, NotFound
from market.i18n import gettext as _
from market.menus import MenuEntry
from market.web import once, parse, see_other, shows_again

bp = Blueprint("entry", __name__, url_prefix="/sell")

DESK = {"applicant": "entry.show"}
MENU = (
    MenuEntry("supplier", N_("My application"), "entry.show", "application.prepare", "contract"),
)
LONGEST_QUERY = 40



# ---- the application as a whole -------------------------------------------------------------------------------------


@bp.get("/application")
@requires("application.read")
def show() -> str:
    """Where the application stands and what happens next; to a manager also how the supplier stands."""
    try:
        application = applications.own(current_user)
    except NotFound:  # a supplier that was here before there were applications
        return render_template("catalog/entry/standing.html", application=None, labels=labels,
                               standings=standing.history(current_user.organisation_id or 0))
    said = contents.read(application)
    taken = lists.steps_of([application.id])[application.id]
    return render_template(
        "catalog/entry/application.html", said=said, application=application, labels=labels, steps=taken,
        newest=lists.newest(taken), path=steps.path_of(application), sections=contents.sections(application),
        gaps=contents.missing(said), editable=application.state in EDITABLE,
        login=logins.login_of(current_user.id), standings=standing.history(application.supplier_id))


@bp.post("/application/submission")
@requires("application.prepare")
@shows_again(show)
def submit() -> Response:
    def work() -> Response:
        applications.submit(applications.held(current_user), current_user)
        flash(_("Handed in. You need not do anything until an office answers."), "good")
        return see_other("entry.show")

    return once(work)


@bp.post("/application/withdrawal")
@requires("application.prepare")
@shows_again(show)
def withdraw() -> Response:
    def work() -> Response:
        applications.withdraw(current_user)
        flash(_("Taken back. You can change it and hand it in again."), "waiting")
        return see_other("entry.show")

    return once(work)


# ---- sections -------------------------------------------------------------------------------------------------------


def _section(name: str, **more: Any) -> str:
    """A page of a section with what is filled in so far."""
    application = applications.own(current_user)
    wanted = contents.sections(application)
    return render_template(
        f"catalog/entry/{name}.html", application=application, labels=labels, section=name,
        number=wanted.index(name) + 1 if name in wanted else None, of=len(wanted),
        editable=application.state in EDITABLE, **more)


def _fill(act: Callable[[Application], None], stay: str | None = None) -> Response:
    """Do something to the own application; then on to the next section with a gap, or stay."""
    def work() -> Response:
        application = applications.held(current_user)
        act(application)
        return see_other(stay) if stay else _onward(application)

    return once(work)


def _onward(application: Application) -> Response:
    here = (request.endpoint or "").rpartition("say_")[2]
    wanted = contents.sections(application)
    gaps = contents.missing(contents.read(application))
    later = wanted[wanted.index(here) + 1:] if here in wanted else wanted
    following = next((section for section in later if section in gaps), None)
    if following is None:
        flash(_("Saved."), "good")
    return see_other(f"entry.{following}" if following else "entry.show")


@bp.get("/application/who")
@requires("application.prepare")
def who() -> str:
    return _section("who")


@bp.post("/application/who")
@requires("application.prepare")
@shows_again(who)
def say_who() -> Response:
    values = parse(WhoSchema)
    return _fill(lambda application: applications.say_who(application, values))


@bp.get("/application/village")
@requires("application.prepare")
def village() -> str:
    query = request.values.get("q", "").strip()[:LONGEST_QUERY]
    said = contents.read(applications.own(current_user))
    return _section("village", query=query, found=lists.find_villages(query), village=said.village)


@bp.post("/application/village")
@requires("application.prepare")
@shows_again(village)
def say_village() -> Response:
    code = parse(VillageSchema)["village"]
    return _fill(lambda application: applications.say_village(application, code))


@bp.get("/application/contact")
@requires("application.prepare")
def contact() -> str:
    return _section("contact")


@bp.post("/application/contact")
@requires("application.prepare")
@shows_again(contact)
def say_contact() -> Response:
    values = parse(ContactSchema)
    return _fill(lambda application: applications.say(application, values))


@bp.get("/application/producer")
@requires("application.prepare")
def producer() -> str:
    return _section("producer", said=contents.read(applications.own(current_user)))


@bp.post("/application/producer")
@requires("application.prepare")
@shows_again(producer)
def say_producer() -> Response:
    values = parse(ProducerSchema)
    letter = uploads.sent("file") if _has("commission_letter") else uploads.needed("file")

    def act(application: Application) -> None:
        applications.say(application, values)
        if letter:
            applications.check_file_room(application, len(letter.content))
            applications.add_paper(application, "commission_letter", letter.keep(), only=True)

    return _fill(act)


@bp.get("/application/goods")
@requires("application.prepare")
def goods() -> str:
    said = contents.read(applications.own(current_user))
    query = request.args.get("q", "").strip()[:LONGEST_QUERY]
    return _section("goods", said=said, names=shelves.words(), query=query,
                    villages=lists.villages_near(said.village, query))


@bp.post("/application/goods")
@requires("application.prepare")
@shows_again(goods)
def add_good() -> Response:
    values = parse(GoodSchema)
    return _fill(lambda application: applications.add_good(application, values), stay="entry.goods")


@bp.post("/application/goods/removal")
@requires("application.prepare")
@shows_again(goods)
def remove_good() -> Response:
    good_id = parse(RemovalSchema)["id"]
    return _fill(lambda application: applications.remove_good(application, good_id), stay="entry.goods")


@bp.get("/application/proof")
@requires("application.prepare")
def proof() -> str:
    return _section("proof", said=contents.read(applications.own(current_user)))


@bp.post("/application/proof")
@requires("application.prepare")
@shows_again(proof)
def say_proof() -> Response:
    values = parse(ProofSchema)
    paper = uploads.sent("file") if _has("proof") else uploads.needed("file")

    def act(application: Application) -> None:
        applications.say(application, values)
        if paper:
            applications.check_file_room(application, len(paper.content))
            applications.add_paper(application, "proof", paper.keep(), only=True)

    return _fill(act)


@bp.post("/application/proof/removal")
@requires("application.prepare")
@shows_again(proof)
def remove_proof() -> Response:
    return _fill(applications.forget_proof)


@bp.get("/application/capacity")
@requires("application.prepare")
def capacity() -> str:
    return _section("capacity")


@bp.post("/application/capacity")
@requires("application.prepare")
@shows_again(capacity)
def say_capacity() -> Response:
    values = parse(CapacitySchema)
    return _fill(lambda application: applications.say(application, values))


@bp.get("/application/linkages")
@requires("application.prepare")
def linkages() -> str:
    return _section("linkages", said=contents.read(applications.own(current_user)))


@bp.post("/application/linkages")
@requires("application.prepare")
@shows_again(linkages)
def add_linkage() -> Response:
    values, evidence = parse(LinkageSchema), uploads.needed("file")

    def act(application: Application) -> None:
        applications.check_file_room(application, len(evidence.content), ApplicationLinkage)
        applications.add_linkage(application, values, evidence.keep())

    return _fill(act, stay="entry.linkages")


@bp.post("/application/linkages/removal")
@requires("application.prepare")
@shows_again(linkages)
def remove_linkage() -> Response:
    linkage_id = parse(RemovalSchema)["id"]
    return _fill(lambda application: applications.remove_linkage(application, linkage_id), stay="entry.linkages")


@bp.get("/application/papers")
@requires("application.prepare")
def papers() -> str:
    return _section("papers", said=contents.read(applications.own(current_user)))


@bp.post("/application/papers")
@requires("application.prepare")
@shows_again(papers)
def add_paper() -> Response:
    kind, paper = parse(PaperSchema)["kind"], uploads.needed("file")

    def act(application: Application) -> None:
        applications.check_file_room(application, len(paper.content), ApplicationPaper)
        applications.add_paper(application, kind, paper.keep())

    return _fill(act, stay="entry.papers")


@bp.post("/application/papers/removal")
@requires("application.prepare")
@shows_again(papers)
def remove_paper() -> Response:
    paper_id = parse(RemovalSchema)["id"]
    return _fill(lambda application: applications.remove_paper(application, paper_id), stay="entry.papers")


# ---- files ----------------------------------------------------------------------------------------------------------


def _has(kind: str) -> bool:
    """Whether a paper of a kind is there already, so that it need not be sent again."""
    return bool(contents.read(applications.own(current_user)).papers_of(kind))
