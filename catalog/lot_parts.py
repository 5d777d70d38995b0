"""What lots are made of, as the verbs take it: who brought how much, what is used up, how it was received."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import select

from catalog.lot_models import LotDetail, LotMaking
from catalog.models import Lot
from catalog.origins import own_villages
from market import db
from market.access import Visitor
from market.errors import N_, InvalidInput, NotFound
from market.files import StoredFile
from market.households import CoopMember, Household

WEIGHS_NOTHING = N_("So little weighs less than a gram: please enter more of it.")


@dataclass(frozen=True)
class Contribution:
    """Grams that came to a lot: from a household, from households named later, or from the co-operative's own base.

    unsplit: brought by households of `village_id` whose names stand only in the notebook; lots.split names them.
    """

    grams: int
    household_id: int | None = None
    village_id: int | None = None  # needed without a household; a household's is its own
    unsplit: bool = False

    @property
    def own_base(self) -> bool:
        return self.household_id is None and not self.unsplit


@dataclass(frozen=True)
class Ingredient:
    """Thousandths of an input lot's sales unit that a processed lot uses up."""

    lot_id: int
    milli: int


@dataclass(frozen=True)
class LotDetails:
    """How a harvest was received: collection point, plot, area (hundredths of a mu), sample test, notebook photo."""

    received_at: str = ""
    plot: str = ""
    area_mu_hundredths: int | None = None
    test: str = "none"  # none | passed | failed
    test_note: str = ""
    notebook_id: int | None = None  # a StoredFile of the co-operative


@dataclass(frozen=True)
class Making:
    """How goods were made: why the yield is unusual; the plant's village and what its people earned by it (fen)."""

    yield_reason: str = ""
    plant_village_id: int | None = None
    wage_fen: int = 0


def origins(contributions: Sequence[Contribution], by: Visitor) -> list[int]:
    """The village of each contribution. Households must be the co-operative's members, other villages its own.

    Raises NotFound for a household or village that is not, InvalidInput where nobody could be named later.
    """
    if not contributions or any(c.grams <= 0 for c in contributions):
        raise InvalidInput({"contributions": [N_("Say who brought how much.")]})
    _check_members_live_in({c.village_id for c in contributions if c.unsplit}, by)
    session = db.session()
    wanted = {c.household_id for c in contributions if c.household_id is not None}
    homes: dict[int, int] = {row.id: row.village_id for row in session.execute(
        select(Household.id, Household.village_id).join(CoopMember, CoopMember.household_id == Household.id)
        .where(CoopMember.supplier_id == by.organisation_id, Household.id.in_(wanted)))}
    bases = {c.village_id for c in contributions if c.household_id is None}
    villages = own_villages(by.organisation_id, bases)
    if wanted != set(homes) or bases != villages:
        raise NotFound()
    return [homes[c.household_id] if c.household_id is not None else int(c.village_id or 0) for c in contributions]


def _check_members_live_in(villages: set[int | None], by: Visitor) -> None:
    """Goods whose households are named later need somebody who could be named."""
    if villages:
        lived_in = set(db.session().scalars(
            select(Household.village_id).join(CoopMember, CoopMember.household_id == Household.id)
            .where(CoopMember.supplier_id == by.organisation_id, Household.village_id.in_(villages))))
        if lived_in != villages:
            raise InvalidInput({"contributions": [N_("No member of yours lives in this village.")]})


def keep_details(lot_id: int, details: LotDetails | None, by: Visitor) -> None:
    """Write how a lot was received, where anything is said. Raises NotFound for somebody else's photo."""
    if details is None or details == LotDetails():
        return
    if details.notebook_id is not None and db.session().scalar(select(StoredFile.id).where(
            StoredFile.id == details.notebook_id, StoredFile.organisation_id == by.organisation_id)) is None:
        raise NotFound()
    db.insert_rows(LotDetail, [{"lot_id": lot_id, **asdict(details)}])


def keep_making(lot_id: int, input_grams: int, making: Making) -> None:
    """Write how a lot was made. Raises InvalidInput for a wage of no village or of somebody else's."""
    if making.wage_fen < 0 or (making.wage_fen and making.plant_village_id is None):
        raise InvalidInput({"plant_village": [N_("Please choose one of the list.")]})
    supplier_id = db.session().scalars(select(Lot.supplier_id).where(Lot.id == lot_id)).one()
    if making.plant_village_id is not None and not own_villages(supplier_id, [making.plant_village_id]):
        raise InvalidInput({"plant_village": [N_("Please choose one of the list.")]})
    db.insert_rows(LotMaking, [{"lot_id": lot_id, "input_grams": input_grams, **asdict(making)}])
