"""How an organisation's news reaches people: mail and short message, each for oneself, and robots of group chats."""

from collections.abc import Mapping

from flask import Blueprint, Response, flash, render_template
from flask_login import current_user
from marshmallow import fields

from market import credentials, messages, robots, sms
from market.access import can, requires
from market.errors import N_
from market.i18n import gettext as _
from market.menus import MenuEntry
from market.schemas import Choice, Input, Words
from market.web import once, parse, see_other, shows_again

bp = Blueprint("told", __name__, url_prefix="/ways-to-be-told")

MENU = (MenuEntry("account", N_("Notification settings"), "told.show", "account.own", "bell"),)
CHANNELS: Mapping[str, str] = {
    "mail": N_("E-mail"), "sms": N_("Short message"), "wecom": N_("WeCom group"), "dingtalk": N_("DingTalk group"),
}


class ChoiceSchema(Input):
    mail = fields.Boolean(load_default=False)
    sms = fields.Boolean(load_default=False)


class RobotSchema(Input):
    kind = Choice(robots.SERVICES, required=True)
    name = Words(required=True, longest=40)
    url = Words(required=True, longest=500)
    secret = Words(load_default="", longest=200)


@bp.get("")
@requires("account.own")
def show() -> str:
    organisation, keeps = current_user.organisation_id or 0, can(current_user, "told.manage")
    return render_template(
        "market/told.html", chosen=messages.chosen(current_user), email=credentials.email_of(current_user.id),
        mobile=credentials.mobile_of(current_user.id), sms_is_real=sms.is_real(), keeps=keeps, channels=CHANNELS,
        services=robots.SERVICES, robots=robots.of_organisation(organisation) if keeps else (),
        recent=messages.recent(organisation) if keeps else ())


@bp.post("")
@requires("account.own")
@shows_again(show)
def choose() -> Response:
    """One's own choice for the organisation one acts for."""
    values = parse(ChoiceSchema)

    def work() -> Response:
        if current_user.organisation_id:
            messages.choose(values, current_user)
        flash(_("Saved."), "good")
        return see_other("told.show")

    return once(work)


@bp.post("/robots")
@requires("told.manage")
@shows_again(show)
def add_robot() -> Response:
    values = parse(RobotSchema)

    def work() -> Response:
        robots.add(values["kind"], values["name"], values["url"], values["secret"], current_user)
        flash(_("From now on the news of your organisation is posted there."), "good")
        return see_other("told.show")

    return once(work)


@bp.post("/robots/<int(max=999999999999):robot_id>/removal")
@requires("told.manage")
def remove_robot(robot_id: int) -> Response:
    def work() -> Response:
        robots.remove(robot_id, current_user)
        return see_other("told.show")

    return once(work)
