"""The ways through desks and shop: rooms bring their entries, a visitor sees those that are open to them."""

from collections.abc import Mapping

from flask import Flask, current_app, request, url_for
from flask_login import current_user

from market import access
from market.errors import N_
from market.i18n import gettext as _
from market.parties import OFFICE_KINDS

# the parts of a desk's menu, in their order: what one does every day has no heading
GROUPS = {"day": "", "todo": N_("To do"), "money": N_("Payments and accounts"), "stock": N_("Goods and stock"),
          "people": N_("Members and villages"), "look": N_("To look up"), "house": N_("Our unit"),
          "keep": N_("Records")}


def init_app(app: Flask) -> None:
    app.extensions["sijin_menu"] = []
    app.extensions["sijin_desks"] = {}


def can(verb: str) -> bool:
    """Whether the current visitor may do this; for buttons and menus."""
    return access.can(current_user, verb)


class MenuEntry:
    """One way through a desk or the shop: a door, a label, a route, the verb it needs (None: anybody), an icon.

    Doors are 'unit', 'supplier', 'office', 'shop', 'account' and 'footer'. `post` entries are sent by a form.
    `group` is one of GROUPS.
    """

    def __init__(self, door: str, label: str, endpoint: str, verb: str | None, icon: str, post: bool = False,
                 group: str = "day") -> None:
        self.door, self.text, self.endpoint, self.verb, self.icon = door, label, endpoint, verb, icon
        self.post, self.group = post, group

    @property
    def label(self) -> str:
        return str(_(self.text))

    @property
    def heading(self) -> str:
        return str(_(GROUPS[self.group])) if GROUPS[self.group] else ""

    @property
    def url(self) -> str:
        return url_for(self.endpoint)

    @property
    def active(self) -> bool:
        return request.endpoint == self.endpoint

    @property
    def shown(self) -> bool:
        return self.verb is None or can(self.verb)


def add_menu(app: Flask, *entries: MenuEntry) -> None:
    app.extensions["sijin_menu"].extend(entries)


def add_desks(app: Flask, desks: Mapping[str, str]) -> None:
    """The first page of people, by kind of office ('township'), role ('applicant') or kind of organisation ('unit')."""
    app.extensions["sijin_desks"].update(desks)


def desk_url(visitor: access.Visitor) -> str:
    """The first page of a person's desk, the home page where there is none."""
    desks = current_app.extensions["sijin_desks"]
    # a role may have a page of its own; a unit's finance person is no finance office
    roles = [role for role in sorted(visitor.roles) if role not in OFFICE_KINDS]
    own = (visitor.office_kind, *roles, visitor.organisation_kind)
    endpoint = next((desks[key] for key in own if key in desks), None)
    return url_for(endpoint) if endpoint else "/"


def menu_entries(door: str) -> list[MenuEntry]:
    """The entries of a desk that this visitor may open, group by group."""
    shown = [e for e in current_app.extensions["sijin_menu"] if e.door == door and e.shown]
    return sorted(shown, key=lambda entry: list(GROUPS).index(entry.group))
