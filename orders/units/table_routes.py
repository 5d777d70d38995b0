"""Tables of sub-units and people on the buyer's desk: the imports' own pages."""

from collections.abc import Iterator
from typing import Any

from catalog.importing import routes
from catalog.importing.routes import Desk
from market.access import Visitor
from market.errors import N_
from market.menus import MenuEntry
from market.waiting import Waiting
from orders.units.sheet import KINDS

DESK = Desk("unit_imports", "/unit/tables", "unit.manage", KINDS)
MENU = (MenuEntry("unit", N_("Tables"), "unit_imports.index", "unit.manage", "upload", group="house"),)
bp: Any = routes.blueprint(DESK)


def waiting_here(visitor: Visitor) -> Iterator[Waiting]:
    """Checked tables that a manager has still to decide about."""
    yield from routes.waiting_at(visitor, DESK)
