"""A unit's own pages: its facts and sub-units, its people, contractors among them."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, flash, render_template, url_for
from flask_login import current_user

from market import db, journal, words
from market.access import Visitor, can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.i18n import ngettext
from market.menus import MenuEntry
from market.waiting import Waiting
from market.web import once, page_number, parse, see_other, shows_again
from orders.openness import naming
from orders.units import admission, contractors, desk, labels, people, schemas, tree
from orders.units.contractors import Term
from orders.units.people import Person

bp = Blueprint("units", __name__, url_prefix="/unit")

MENU = (
    MenuEntry("unit", N_("Unit and sub-units"), "units.show", "unit.read", "office", group="house"),
    MenuEntry("unit", N_("People of the unit"), "units.people_page", "unit.manage", "people", group="house"),
)
USER, UNIT = "<int(max=999999999999):user_id>", "<int(max=999999999999):unit_id>"


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """For a manager: sub-units to vouch for, new people without a password, contracts that end soon."""
    if not can(visitor, "unit.manage"):
        return
    if count := desk.waiting_applications(visitor):
        yield Waiting(ngettext("%(num)s sub-unit waits for your word before it may order.",
                               "%(num)s sub-units wait for your word before they may order.", count),
                      url_for("units.show"))
    if count := desk.newcomers(visitor):
        yield Waiting(ngettext("%(num)s new person has no password yet: print the first code.",
                               "%(num)s new people have no password yet: print the first codes.", count),
                      url_for("units.people_page"))
    if count := desk.due_terms(visitor):
        yield Waiting(ngettext("The contract of %(num)s contractor ends within 30 days.",
                               "The contracts of %(num)s contractors end within 30 days.", count),
                      url_for("units.people_page"))


# ---- the unit -------------------------------------------------------------------------------------------------------


@bp.get("")
@requires("unit.read")
def show() -> str:
    unit = desk.unit(current_user)
    return render_template(
        "orders/units/show.html", unit=unit, found=desk.sub_units(current_user, page_number()), labels=labels,
        types=words.UNIT_TYPES, manages=can(current_user, "unit.manage"), doors=desk.doors(current_user),
        decides=_names_of_deciders(unit) if unit.status != "active" else "",
        history=journal.timeline("organisation", unit.id)[-8:], named=naming.is_named(unit.id))


def _names_of_deciders(unit: Any) -> str:
    return str(admission.refusal(unit.id).details["office"])


@bp.post("/facts")
@requires("unit.manage")
@shows_again(show)
def set_facts() -> Response:
    values = parse(schemas.FactsSchema)

    def work() -> Response:
        tree.set_facts(values, current_user)
        flash(_("Saved."), "good")
        return see_other("units.show")

    return once(work)


@bp.post("/application")
@requires("unit.manage")
@shows_again(show)
def send_again() -> Response:
    """The application once more, mended."""
    values = parse(schemas.ApplicationSchema)

    def work() -> Response:
        admission.send_again(values, current_user)
        flash(_("Sent. You hear of the decision here."), "good")
        return see_other("units.show")

    return once(work)


@bp.get("/sub-units/new")
@requires("unit.manage")
def new_sub_unit() -> str:
    return render_template("orders/units/new_sub_unit.html", types=words.UNIT_TYPES)


@bp.post("/sub-units")
@requires("unit.manage")
@shows_again(new_sub_unit)
def add_sub_unit() -> Response:
    values = parse(schemas.SubUnitSchema)

    def work() -> Response:
        said = {"name": values["unit_name"], "credit_code": values["credit_code"], "unit_type": values["unit_type"]}
        unit_id = tree.add_sub_unit(said, Person(values["name"], values["mobile"], values["email"]), current_user)
        flash(_("Created. It may order once it is admitted; print the first code for its manager."), "good")
        return see_other("units.sub_unit", unit_id=unit_id)

    return once(work)


@bp.get(f"/sub-units/{UNIT}")
@requires("unit.read")
def sub_unit(unit_id: int) -> str:
    """A unit below: read only, but for the word that lets it in."""
    unit = desk.sub_unit(unit_id, current_user)
    return render_template("orders/units/sub_unit.html", unit=unit, labels=labels, types=words.UNIT_TYPES,
                           roles=words.ROLES, found=desk.people(unit_id, page_number()),
                           may_vouch=unit.application == "waiting" and can(current_user, "unit.manage"),
                           history=journal.timeline("organisation", unit_id)[-8:])


@bp.post(f"/sub-units/{UNIT}/admission")
@requires("unit.manage")
@shows_again(sub_unit)
def vouch(unit_id: int) -> Response:
    """The supervising unit's manager says that its sub-unit is a real one, or what has to be mended."""
    application_id = desk.sub_unit(unit_id, current_user).application_id or 0
    values = parse(schemas.AdmissionSchema)
    return once(lambda: decided(application_id, values, "units.sub_unit", unit_id=unit_id))


def decided(application_id: int, values: dict[str, Any], endpoint: str, **arguments: int) -> Response:
    """A decision about a unit, by an office or the unit above it; then `endpoint`."""
    if values["decision"] == "admit":
        admission.admit(application_id, current_user)
        flash(_("Admitted. The unit may order now."), "good")
    else:
        admission.give_back(application_id, values["reason"] or _("Please look at your entries once more."),
                            current_user)
        flash(_("Sent back to the unit."), "good")
    return see_other(endpoint, **arguments)


# ---- people ---------------------------------------------------------------------------------------------------------


@bp.get("/people")
@requires("unit.manage")
def people_page() -> str:
    return render_template(
        "orders/units/people.html", found=desk.people(current_user.organisation_id, page_number()), labels=labels,
        roles=words.ROLES, leavers=desk.leavers(current_user), new=desk.newcomers(current_user))


@bp.get("/people/new")
@requires("unit.manage")
def new_person() -> str:
    return render_template("orders/units/new_person.html", given=people.GIVEN, roles=words.ROLES)


@bp.post("/people")
@requires("unit.manage")
@shows_again(new_person)
def add_person() -> Response:
    values = parse(schemas.NewPersonSchema)

    def work() -> Response:
        user_id = people.add(person_of(values), values["roles"], current_user)
        flash(_("%(name)s may act for your unit now.", name=values["name"]), "good")
        return see_other("units.person", user_id=user_id)

    return once(work)


def person_of(values: dict[str, Any]) -> Person:
    return Person(values["name"], values["mobile"], values["email"], values["login"])


@bp.get(f"/people/{USER}")
@requires("unit.manage")
def person(user_id: int) -> str:
    one, around = desk.person(user_id, current_user)
    return render_template("orders/units/person.html", person=one, held=around.roles[user_id],
                           term=around.terms.get(user_id), conflict=around.conflict(user_id), given=people.GIVEN,
                           roles=words.ROLES)


@bp.post(f"/people/{USER}/roles")
@requires("unit.manage")
@shows_again(person)
def set_roles(user_id: int) -> Response:
    desk.person(user_id, current_user)  # somebody else's is unknown, whatever the form says
    values = parse(schemas.RolesSchema)

    def work() -> Response:
        people.set_roles(user_id, values["roles"], current_user)
        flash(_("Saved."), "good")
        return see_other("units.person", user_id=user_id) if can(current_user, "unit.manage") else see_other(
            "units.show")

    return once(work)


@bp.post(f"/people/{USER}/ending")
@requires("unit.manage")
@shows_again(person)
def end(user_id: int) -> Response:
    """The person does not act for the unit any more; the login and its papers stay."""
    desk.person(user_id, current_user)
    reason = parse(schemas.EndingSchema)["reason"]

    def work() -> Response:
        people.end(user_id, reason, current_user)
        flash(_("Ended. The name stays on old papers."), "good")
        return see_other("units.people_page")

    return once(work)


@bp.post(f"/people/{USER}/code")
@requires("unit.manage")
def print_code(user_id: int) -> str:
    """The sheet is the answer itself: the code is kept nowhere and can be shown only once."""
    return _codes(user_id)


@bp.post("/people/codes")
@requires("unit.manage")
def print_codes() -> str:
    """A sheet for everybody who has not chosen a password yet."""
    return _codes(None)


def _codes(user_id: int | None) -> str:
    with db.transaction():
        sheets = people.print_codes(current_user, user_id)
    return render_template("orders/units/codes.html", sheets=sheets)


# ---- contractors ----------------------------------------------------------------------------------------------------


@bp.get("/contractors/new")
@requires("unit.manage")
def new_contractor() -> str:
    return render_template("orders/units/new_contractor.html")


@bp.post("/contractors")
@requires("unit.manage")
@shows_again(new_contractor)
def add_contractor() -> Response:
    values = parse(schemas.ContractorSchema)
    term = Term(values["firm_name"], values["licence_no"], values["licence_seen_on"], values["first_day"],
                values["last_day"])

    def work() -> Response:
        user_id = contractors.add(person_of(values), term, current_user)
        flash(_("%(name)s may order for your unit now.", name=values["name"]), "good")
        return see_other("units.person", user_id=user_id)

    return once(work)
