"""Very many invented histories, straight through attribution and posting, over 36 months in which villages change.

Each history has a number and a source of chance of its own, so that any of them can be told again: by posting them, as
the documents that the audit asks for, and by a second working-out in plain arithmetic.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from itertools import islice
from random import Random
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select

from market import clock, db, ledger, villages
from market.figures import Where
from market.ledger import Transfer
from market.parties import Organisation
from market.places import Division
from orders.attribution import PackedLot, PackedShare, split
from orders.income import posting
from tests.replay import half_up, shared
from tests.world import World

FIRST = date(2023, 10, 1)
MONTHS = 36
AT_ONCE = 2000  # transfers in one transaction
UNIT_TYPES = ("school", "hospital", "agency", "enterprise")
Sums = dict[tuple[int, str], dict[str, int]]


@dataclass(frozen=True)
class Places:
    """Villages by the month from which on they are the ones of that day."""

    from_month: Sequence[tuple[int, Sequence[int]]]
    suppliers: Sequence[int]
    units: Sequence[int]

    def on(self, month: int) -> Sequence[int]:
        return [ids for since, ids in self.from_month if since <= month][-1]


def places_of(world: World, count: int = 40) -> Places:
    """Villages of two counties; after a year five get another name, after two years three pairs become one."""
    official = world.person("official.jin")
    ids = list(db.session().scalars(
        select(Division.id).where(Division.level == "village", Division.valid_to.is_(None),
                                  Division.code.startswith("431125") | Division.code.startswith("431128"))
        .order_by(Division.code)))
    ids = [*ids[:count // 2], *ids[-count // 2:]]
    known: list[tuple[int, Sequence[int]]] = [(0, tuple(ids))]
    with clock.at(clock.shanghai(month_begin(12))):
        for at in range(5):
            with db.transaction():
                ids[at] = villages.rename(ids[at], f"新名{at}村", month_begin(12), "更名", official, ()).id
    known.append((12, tuple(ids)))
    with clock.at(clock.shanghai(month_begin(24))):
        for at in range(3):
            with db.transaction():
                merged = villages.merge([ids[at], ids[at + 6]], f"合并{at}村", month_begin(24), "并村", official, ()).id
            ids[at] = ids[at + 6] = merged
    known.append((24, tuple(dict.fromkeys(ids))))
    parties = db.session().execute(select(Organisation.id, Organisation.kind).order_by(Organisation.id)).all()
    return Places(known, [row.id for row in parties if row.kind == "supplier"],
                  [row.id for row in parties if row.kind == "unit"])


def month_begin(number: int) -> date:
    """The first day of a month of the 36."""
    return date(FIRST.year + (FIRST.month - 1 + number) // 12, (FIRST.month - 1 + number) % 12 + 1, 1)


@dataclass
class Told:
    """One history: what a lot is made of, and what happens with it."""

    number: int
    supplier: int
    unit: int
    unit_type: str
    day: date
    shares: list[tuple[int, int]]  # village, grams
    farm_gate: int  # fen per kilo
    price: int  # fen per kilo
    points: int
    certified: bool
    eaten: list[tuple[date, int]]  # deliveries in grams
    back: list[tuple[int, date, int]] = field(default_factory=list)  # which delivery, day, share in thousandths
    paid: int = 0  # what is handed on at the end, in thousandths of the farm-gate income

    @property
    def settled_on(self) -> date:
        return max([*(day for day, _grams in self.eaten), *(day for _at, day, _share in self.back)])


def tell(number: int, seed: int, places: Places) -> Told:
    """A history by its number; the same seed tells the same."""
    chance = Random(seed * 1_000_003 + number)
    month = chance.randrange(MONTHS)
    day = month_begin(month) + timedelta(days=chance.randrange(28))
    homes = chance.sample(list(places.on(month)), chance.choice((1, 1, 2, 3)))
    shares = [(village, chance.randrange(1, 60_000)) for village in sorted(homes)]
    farm_gate = chance.randrange(60, 900)
    left, eaten = sum(grams for _village, grams in shares), []
    for _line in range(chance.choice((1, 1, 2, 3))):
        grams = chance.randrange(0, left + 1) if chance.random() < 0.8 else left
        if grams:
            eaten.append((day + timedelta(days=chance.randrange(3)), grams))
            left -= grams
    back = [(at, when + timedelta(days=chance.randrange(20)), chance.choice((1000, chance.randrange(1, 1000))))
            for at, (when, _grams) in enumerate(eaten) if chance.random() < 0.15]
    return Told(number, chance.choice(places.suppliers), chance.choice(places.units), chance.choice(UNIT_TYPES), day,
                shares, farm_gate, farm_gate * chance.randrange(11, 30) // 10 + 1, chance.choice((0, 0, 300, 750)),
                chance.random() < 0.4, eaten, back, chance.choice((0, 500, 1000)))


# ---- as the product books it ----------------------------------------------------------------------------------------


def transfers(told: Told) -> Iterator[Transfer]:
    """What the product's own rules make of a history."""
    order = SimpleNamespace(supplier_id=told.supplier, unit_id=told.unit, unit_type=told.unit_type,
                            number=f"B{told.number}", method="direct_online", fund_source="canteen")
    whole = sum(grams for _village, grams in told.shares)
    lot = PackedLot(1, told.number, whole, [PackedShare(at, village, grams, grams, told.farm_gate, 0)
                                            for at, (village, grams) in enumerate(told.shares)])
    so_far: dict[int, int] = {}
    left: defaultdict[int, int] = defaultdict(int)
    for at, (day, grams) in enumerate(told.eaten):
        amount = half_up(Fraction(told.price * grams, 1000))
        for part in split([lot], grams, amount, so_far):
            so_far[part.share_id] = so_far.get(part.share_id, 0) + part.grams
            number = told.number * 100 + at * 10 + part.share_id
            facts = posting.facts_of(order, {
                "id": number, "village_id": part.village_id, "lot_id": told.number, "line_id": number,
                "category": "vegetables", "certified": told.certified, "linkage_id": None,
                "collective_linkage_id": None})
            collective = (part.amount_fen * told.points + 5000) // 10_000
            yield from posting.accepted(facts, part.amount_fen, part.grams, day)
            yield from posting.attributed(facts, part.farm_gate_fen, collective, day)
            yield from posting.received(facts, number, part.amount_fen, day)
            left[part.village_id] += part.farm_gate_fen
            for _at, when, share in (one for one in told.back if one[0] == at):
                taken = part.farm_gate_fen * share // 1000
                left[part.village_id] -= taken
                yield from posting.returned(facts, number, part.amount_fen * share // 1000, part.grams * share // 1000,
                                            taken, collective * share // 1000, when)
    for village, fen in sorted(left.items()):
        payout = SimpleNamespace(supplier_id=told.supplier, village_id=village, income_kind="farm_gate",
                                 business_date=told.settled_on)
        share_of_line = SimpleNamespace(payout_line_id=told.number * 10 + sorted(left).index(village), part=0,
                                        category="vegetables", amount_fen=fen * told.paid // 1000)
        yield from posting.paid_out(payout, SimpleNamespace(household_id=None), share_of_line)


def all_transfers(histories: int, seed: int, places: Places) -> Iterator[Transfer]:
    for number in range(1, histories + 1):
        yield from transfers(tell(number, seed, places))


def post_all(histories: int, seed: int, places: Places) -> int:
    """Post everything, a few thousand rows to a transaction; returns how many transfers there are."""
    count, running = 0, all_transfers(histories, seed, places)
    while some := list(islice(running, AT_ONCE)):
        with db.transaction():
            ledger.post(some)
        count += len(some)
    return count


# ---- worked out a second time ---------------------------------------------------------------------------------------


def worked_out(histories: int, seed: int, places: Places) -> Sums:
    """The same sums by village and month in plain arithmetic: nothing of attribution, posting or ledger is used."""
    sums: Sums = {}

    def add(village: int, day: date, **amounts: int) -> None:
        of_month = sums.setdefault((village, f"{day.year}-{day.month:02d}"), defaultdict(int))
        for name, amount in amounts.items():
            of_month[name] += amount

    for number in range(1, histories + 1):
        _work_out(tell(number, seed, places), add)
    return sums


def _work_out(told: Told, add: Any) -> None:
    eaten_of: defaultdict[int, int] = defaultdict(int)
    left: defaultdict[int, int] = defaultdict(int)
    weights = [grams for _village, grams in told.shares]
    for at, (day, grams) in enumerate(told.eaten):
        grams_of = shared(grams, weights)
        amounts = iter(shared(half_up(Fraction(told.price * grams, 1000)), [some for some in grams_of if some]))
        for (village, _weight), some in zip(told.shares, grams_of, strict=True):
            if not some:
                continue
            amount = next(amounts)
            before = half_up(Fraction(told.farm_gate * eaten_of[village], 1000))
            eaten_of[village] += some
            gate = half_up(Fraction(told.farm_gate * eaten_of[village], 1000)) - before
            collective = half_up(Fraction(amount * told.points, 10_000))
            # what is worth no fen is no transfer, and so has no weight in the ledger
            add(village, day, accepted_fen=amount, accepted_grams=some if amount else 0, farm_gate_fen=gate,
                collective_fen=collective, received_fen=amount, certified_fen=amount * told.certified)
            left[village] += gate
            for _at, when, share in (one for one in told.back if one[0] == at):
                back, taken = amount * share // 1000, gate * share // 1000
                left[village] -= taken
                if back:
                    add(village, when, returned_fen=back, returned_grams=some * share // 1000,
                        certified_fen=-back * told.certified)
                add(village, when, farm_gate_fen=-taken, collective_fen=-(collective * share // 1000))
    for village, fen in left.items():
        add(village, told.settled_on, households_paid_fen=fen * told.paid // 1000)


def differences(right: Sums, found: Sequence[dict[str, Any]]) -> list[str]:
    """Where figures by village and month are not what was worked out."""
    told = {(row["village_id"], row["period"]): {name: value for name, value in row.items() if value and name not in (
        "village_id", "period")} for row in found}
    keys = sorted({*told, *right})
    return [f"{key}: {told.get(key, {})} is not {wanted}" for key in keys if told.get(key, {}) != (
        wanted := {name: value for name, value in right.get(key, {}).items() if value})]


def areas() -> dict[str, Where]:
    """Every township and county that holds a village of the two counties, and the city as a whole."""
    ours = Division.code.startswith("431125") | Division.code.startswith("431128")
    rows = db.session().execute(
        select(Division.township_id, Division.county_id).where(Division.level == "village", ours).distinct())
    found = {"city": Where()}
    for row in rows:
        found[f"township {row.township_id}"] = Where(township_id=row.township_id)
        found[f"county {row.county_id}"] = Where(county_id=row.county_id)
    return found
