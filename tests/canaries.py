"""Unmistakable names, phones, codes and account numbers in the data of both sides of tests/web/test_access_matrix.py.

Which columns hold such things is asked of the tables themselves, so that a new table's are planted by themselves. To
which side a row belongs follows from what it refers to: an organisation, a user, a household, or a row of a side.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, select, update
from sqlalchemy.exc import DBAPIError

from market import db
from market.db import Base
from market.households import Household
from market.parties import Membership, Organisation
from market.users import User
from tests.world import ORGANISATIONS, World

NEAR, FAR = "near", "far"
# columns by kind of thing; an organisation's own name is public
KINDS = {
    "household": re.compile(r"head_name|register_code"),
    "person": re.compile(r"contact|contact_name|receiver_name|holder(_name)?"),
    "phone": re.compile(r"mobile|phone|contact_phone|contact_mobile"),
    "account": re.compile(r"(\w+_)?bank_account|account_(number|no)|payer_account|card_number"),
    "payer": re.compile(r"payer_name|account_holder"),
}
# whose columns are something else, or public: a delivery sheet names whom to ask for
NOT_OURS = {"stored_file", "inspection_record", "conformity_certificate"}


@dataclass(frozen=True)
class Canary:
    """A word that stands in one place of the data only. `kind`: household, person, phone, account or payer."""

    word: str
    kind: str
    side: str
    where: str


def of_people(world: World) -> list[Canary]:
    """Before anything happens: users' names and phones, households' names and codes, so that copies hold them too."""
    found = []
    sides = sides_of(world)
    with db.transaction() as session:
        for user in session.scalars(select(User).order_by(User.id)).all():
            side = sides.get(("user", user.id))
            if side:
                user.name, user.mobile = f"雀Quail{user.id:04d}", f"1990000{user.id:04d}"
                found += [Canary(f"Quail{user.id:04d}", "person", side, "user.name"),
                          Canary(user.mobile, "phone", side, "user.mobile")]
        for household in session.scalars(select(Household).order_by(Household.id)).all():
            side = sides.get(("household", household.id))
            if side:
                household.head_name = f"雀Wren{household.id:04d}"
                found.append(Canary(f"Wren{household.id:04d}", "household", side, "household.head_name"))
                if household.register_code:
                    household.register_code = f"DEMO-Finch{household.id:04d}"
                    found.append(Canary(f"Finch{household.id:04d}", "household", side, "household.register_code"))
    return found


def of_the_rest(world: World) -> list[Canary]:
    """After the trade: whatever else a table calls a name, a phone or an account of one side."""
    sides, found = sides_of(world), []
    for table, column, kind in columns():
        for (key,) in rows_of(table):
            side = sides.get((table.name, key))
            if side is None:
                continue
            number = len(found) + 1
            digits = {"phone": f"1991111{number:04d}", "account": f"62179999000{number:08d}"}
            word = digits.get(kind, f"Stork{number:04d}")
            if plant(table, column, key, word if kind in digits else f"雀{word}"):
                found.append(Canary(word, kind, side, f"{table.name}.{column}"))
    return found


def columns() -> Iterator[tuple[Table, str, str]]:
    for table in Base.metadata.sorted_tables:
        if table.name in NOT_OURS | {"user", "household"} or list(table.primary_key.columns.keys()) != ["id"]:
            continue
        for column in table.columns:
            for kind, pattern in KINDS.items():
                if pattern.fullmatch(column.name) and column.type.python_type is str:
                    yield table, column.name, kind


def rows_of(table: Table) -> list[Any]:
    return list(db.session().execute(select(table.c.id).order_by(table.c.id)))


def plant(table: Table, column: str, key: int, word: str) -> bool:
    """False for tables that take no change and columns that are too short."""
    length = getattr(table.c[column].type, "length", None)
    if length is not None and length < len(word):
        return False
    try:
        with db.transaction() as session:
            session.execute(update(table).where(table.c.id == key).values({column: word}))
    except DBAPIError:
        return False
    return True


def sides_of(world: World) -> dict[tuple[str, Any], str]:
    """By (table, id): the one side that a row belongs to; rows of both sides, or of none, are not in it."""
    sides: dict[tuple[str, Any], str] = {}
    near = {ORGANISATIONS[key][1] for key in ("school", "greens", "greens_village")}
    far = {ORGANISATIONS[key][1] for key in ("hospital", "pomelo", "village", "newcomers")}
    session = db.session()
    for row in session.execute(select(Organisation.id, Organisation.name, Organisation.parent_id)):
        if row.name in near | far:
            sides["organisation", row.id] = NEAR if row.name in near else FAR
    for row in session.execute(select(Organisation.id, Organisation.parent_id)):
        if ("organisation", row.parent_id) in sides:
            sides.setdefault(("organisation", row.id), sides["organisation", row.parent_id])
    belongs: dict[int, set[str | None]] = {}
    for row in session.execute(select(Membership.user_id, Membership.organisation_id)):
        belongs.setdefault(row.user_id, set()).add(sides.get(("organisation", row.organisation_id)))
    sides |= {("user", user): next(iter(of)) for user, of in belongs.items() if len(of) == 1 and None not in of}
    for row in session.execute(select(Household.id, Household.village_id)):
        sides["household", row.id] = NEAR if row.village_id == world.villages["greens_home"] else FAR
    for _round in range(3):
        for table in Base.metadata.sorted_tables:
            if table.name not in ("organisation", "user", "household", "membership") and "id" in table.c:
                _follow(table, sides)
    return sides


def _follow(table: Table, sides: dict[tuple[str, Any], str]) -> None:
    """A row is of the side that all it refers to is of."""
    references = [(column.name, key.column.table.name) for column in table.columns for key in column.foreign_keys
                  if key.column.name == "id" and key.column.table.name not in ("division", "category", "stored_file")]
    if not references:
        return
    names = ("id", *dict.fromkeys(name for name, _to in references))
    for row in db.session().execute(select(*(table.c[name] for name in names))).mappings():
        found = {sides.get((to, row[name])) for name, to in references if row[name] is not None} - {None}
        if len(found) == 1:
            sides[table.name, row["id"]] = found.pop() or ""
