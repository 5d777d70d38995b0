"""Weighing in: what the page offers, goods used last first, and who is meant by a name, a number or a few letters."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import islice, product
from typing import Any

from pypinyin import lazy_pinyin
from sqlalchemy import ColumnElement, Row, case, func, select

from catalog.lot_parts import Contribution
from catalog.models import Lot, LotContribution, LotShare, Product
from catalog.search.sounds import OTHER_READINGS
from market import db
from market.access import Visitor
from market.errors import N_, InvalidInput, MarketError
from market.households import CoopMember, Household
from market.parties import Membership, Organisation
from market.places import Division
from market.users import User

MOST_READINGS = 8  # of one name
MOST_NAMED = 4  # people listed where a few letters may mean several
Columns = Row[*tuple[Any, ...]]


class SeveralMembers(MarketError):
    text = N_("Several members fit: %(members)s. Please choose one.")


@dataclass(frozen=True)
class Member:
    """A member household as its own co-operative knows it, with the letters by which it is found."""

    household_id: int
    number: str
    name: str
    village: str

    @property
    def label(self) -> str:
        """What stands in the form."""
        return f"{self.number} {self.name}"

    @property
    def sounds(self) -> tuple[str, ...]:
        """Full pinyin and initials, in every likely reading."""
        return sounds_of(self.name)


@dataclass(frozen=True)
class LastTime:
    """How goods were weighed in last: when, at which price, who brought some."""

    harvested_on: date
    farm_gate_fen_per_kg: int
    village: str | None  # code of the first village
    members: Sequence[Member]


@lru_cache(maxsize=16_384)
def sounds_of(name: str) -> tuple[str, ...]:
    """How a name may be typed, whole pinyin first, then initials: 曾小明 is zengxiaoming, cengxiaoming, zxm, cxm."""
    usual = lazy_pinyin(name, errors=list)  # type: ignore[arg-type]  # one item for each unknown character
    choices = [dict.fromkeys((syllable, *OTHER_READINGS.get(character, ())))
               for syllable, character in zip(usual, name, strict=True)]
    readings = list(islice(product(*choices), MOST_READINGS))
    words = ["".join(reading).lower() for reading in readings]
    initials = ["".join(syllable[:1] for syllable in reading).lower() for reading in readings]
    return tuple(dict.fromkeys((*words, *initials)))


# ---- what the page offers -------------------------------------------------------------------------------------------


def goods(supplier_id: int | None) -> Sequence[Columns]:
    """The co-operative's goods, those weighed in last first, then by name; one statement."""
    last = (select(Lot.product_id, func.max(Lot.id).label("lot_id"), func.max(Lot.harvested_on).label("day"))
            .where(Lot.supplier_id == supplier_id, _was_weighed()).group_by(Lot.product_id).subquery())
    return db.session().execute(
        select(Product.id, Product.name, Product.name_en, Product.unit, Product.unit_en, Product.by_weight,
               Product.grams_per_unit, Product.picture, Product.state, last.c.day)
        .outerjoin(last, last.c.product_id == Product.id).where(Product.supplier_id == supplier_id)
        .order_by(func.coalesce(last.c.lot_id, 0).desc(), Product.state.desc(), Product.name)).all()


def _was_weighed() -> ColumnElement[bool]:
    """The condition that somebody brought a Lot's goods: neither made of others nor still in the field."""
    return select(LotContribution.id).where(LotContribution.lot_id == Lot.id).exists()


def members(supplier_id: int | None) -> list[Member]:
    """The co-operative's members by number, unmasked to themselves; one statement."""
    rows = db.session().execute(
        select(Household.id, CoopMember.member_no, Household.head_name, Division.name)
        .join(CoopMember, CoopMember.household_id == Household.id)
        .join(Division, Division.id == Household.village_id)
        .where(CoopMember.supplier_id == supplier_id).order_by(CoopMember.member_no))
    return [Member(*row) for row in rows]


def last_time(product_id: int, by: Visitor) -> LastTime | None:
    """The newest harvest of these goods; two statements."""
    lot = db.session().execute(
        select(Lot.id, Lot.harvested_on, Lot.farm_gate_fen_per_kg)
        .where(Lot.product_id == product_id, Lot.supplier_id == by.organisation_id, _was_weighed())
        .order_by(Lot.id.desc()).limit(1)).first()
    if lot is None:
        return None
    rows = db.session().execute(
        select(Household.id, CoopMember.member_no, Household.head_name, Division.name, Division.code)
        .select_from(LotContribution).join(Division, Division.id == LotContribution.village_id)
        .outerjoin(Household, Household.id == LotContribution.household_id)
        .outerjoin(CoopMember, (CoopMember.household_id == Household.id)
                   & (CoopMember.supplier_id == by.organisation_id))
        .where(LotContribution.lot_id == lot.id).order_by(LotContribution.id)).all()
    brought = [Member(*row[:4]) for row in rows if row.member_no is not None]
    return LastTime(lot.harvested_on, lot.farm_gate_fen_per_kg, rows[0].code if rows else None,
                    list(dict.fromkeys(brought)))


def confirmers(lot_id: int) -> Sequence[Columns]:
    """Who may confirm a lot, those at its village before those at the township: name and office; one statement.

    Where no village or township holds all of it, nobody is named: it goes to the county.
    """
    home = db.table(Division)
    places = (select(home.c.id, home.c.township_id).join(LotShare, LotShare.village_id == home.c.id)
              .where(LotShare.lot_id == lot_id).distinct().subquery())
    one_village = select(func.max(places.c.id)).having(func.count() == 1).scalar_subquery()
    one_township = (select(func.max(places.c.township_id))
                    .having(func.count(func.distinct(places.c.township_id)) == 1).scalar_subquery())
    near = Organisation.division_id == one_village
    return db.session().execute(
        select(User.name, Organisation.short_name.label("office"))
        .join(Membership, Membership.user_id == User.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.role.in_(("village_officer", "township_officer")), Organisation.kind == "office",
               near | (Organisation.division_id == one_township))
        .order_by(case((near, 0), else_=1), Organisation.id, User.id).limit(MOST_NAMED)).all()


# ---- who is meant ---------------------------------------------------------------------------------------------------


def contributions_of(rows: Sequence[Mapping[str, Any]], by: Visitor) -> list[Contribution]:
    """The weights of rows as RowSchema loads them, net, with members found. Raises InvalidInput at the row."""
    known = members(by.organisation_id)
    problems: dict[str, list[str | MarketError]] = {}
    found = []
    for number, row in enumerate(rows):
        if row["gross"] is None:
            continue
        meant = fitting(row["member"], known)
        if len(meant) == 1:
            found.append(Contribution(row["gross"] - row["tare"], household_id=meant[0].household_id))
        else:
            problems[f"contributions-{number}-member"] = [_not_one(meant)]
    if problems:
        raise InvalidInput(problems)
    return found


def _not_one(meant: Sequence[Member]) -> str | MarketError:
    if meant:
        return SeveralMembers(members="、".join(member.label for member in meant[:MOST_NAMED]))
    return N_("No member of yours has this number, name or pinyin.")


def fitting(typed: str, known: Sequence[Member]) -> list[Member]:
    """The members meant by what was typed: by number, by name, by pinyin or initials, by part of a name or pinyin."""
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", typed)).strip().lower()
    letters = re.sub(r"[\s']", "", text)
    for fits in _ways(text, letters):
        meant = [member for member in known if fits(member)]
        if meant:
            return meant
    return []


def _ways(text: str, letters: str) -> Iterator[Callable[[Member], bool]]:
    """The surest way first: as soon as one finds somebody, the vaguer ones are not asked."""
    if not letters:
        return
    yield lambda member: text in {member.number.lower(), member.label.lower()}
    yield lambda member: text == member.name.lower()
    if letters.isascii() and letters.isdigit():
        yield lambda member: re.sub(r"\D", "", member.number).lstrip("0") == letters.lstrip("0")
        return
    yield lambda member: letters in member.sounds
    if len(letters) > 1:
        yield lambda member: text in member.name.lower()
        yield lambda member: any(sound.startswith(letters) for sound in member.sounds)
