"""What happened to a lot, written in the transaction of the deed that it tells of; once for each row it tells of."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import select

from catalog.models import Lot, Product
from catalog.tracing.models import TraceEvent
from market import clock, db, money
from market.parties import Organisation


@dataclass(frozen=True)
class Happening:
    """One event to be told: milli and grams of the lot that it is about, at whose place, of which row."""

    kind: str
    lot_id: int
    milli: int
    grams: int
    organisation_id: int
    source: str
    reference: str = ""
    division_id: int | None = None
    to_organisation_id: int | None = None


def tell(happenings: Iterable[Happening]) -> None:
    """Write events in one statement; what has been told already stays as it is."""
    now = clock.now()
    rows = [{**asdict(one), "at": now} for one in happenings]
    if rows:
        db.session().execute(db.insert_new(TraceEvent), rows)


def booked(lot: Lot, village_ids: Iterable[int]) -> None:
    """A harvest came into store: of a village, or where there are several at the co-operative's."""
    villages = set(village_ids)
    place = villages.pop() if len(villages) == 1 else _home(lot.supplier_id)
    tell([_about(lot, "booked", f"lot:{lot.id}", place)])


def made(lot: Lot, used: Sequence[tuple[int, int, int]]) -> None:
    """Goods were made out of others: used are (lot id, milli, grams)."""
    codes = {row.id: row.code for row in db.session().execute(
        select(Lot.id, Lot.code).where(Lot.id.in_([lot_id for lot_id, _milli, _grams in used])))}
    home = _home(lot.supplier_id)
    tell([
        _about(lot, "made", f"lot:{lot.id}", home, ", ".join(sorted(codes.values()))),
        *(Happening("used", lot_id, milli, grams, lot.supplier_id, f"lot_input:{lot.id}:{lot_id}", lot.code, home)
          for lot_id, milli, grams in used),
    ])


def confirmed(lot: Lot) -> None:
    """A person at the village has looked at the lot."""
    tell([_about(lot, "confirmed", f"lot:{lot.id}", _home(lot.supplier_id))])


def written_off(lot_id: int, milli: int, write_off_id: int) -> None:
    """Goods are gone: spoiled, broken, destroyed after a recall."""
    lot, grams_per_unit = db.session().execute(
        select(Lot, Product.grams_per_unit).join(Product, Product.id == Lot.product_id).where(Lot.id == lot_id)).one()
    tell([Happening("written_off", lot.id, milli, money.grams_of(milli, grams_per_unit), lot.supplier_id,
                    f"write_off:{write_off_id}", division_id=_home(lot.supplier_id))])


def _about(lot: Lot, kind: str, source: str, place: int | None, reference: str = "") -> Happening:
    return Happening(kind, lot.id, lot.total_milli, lot.total_grams, lot.supplier_id, source, reference, place)


def _home(supplier_id: int) -> int | None:
    return db.session().scalar(select(Organisation.division_id).where(Organisation.id == supplier_id))
