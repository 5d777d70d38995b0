"""Short ways to trade in the named people's world, all through the product's own verbs."""

from datetime import date, timedelta
from itertools import count
from typing import Any

from sqlalchemy import select

from catalog import lot_confirmers, lots
from catalog.lot_parts import Contribution, Ingredient
from catalog.models import Category, Lot, Product, ProductPrice
from catalog.papers import validity
from market import clock, db
from market.access import Visitor
from market.files import StoredFile
from market.households import CoopMember, Household
from market.parties import Organisation
from orders.buying import checkout
from orders.buying.checkout import Placed, Wish
from orders.delivering import acceptance, shipments
from orders.delivering.acceptance import Taken
from orders.delivering.shipments import Packed
from orders.income import declarations, households, linkages, payouts, shares
from orders.models import Order, OrderLine, PaymentClaim
from orders.paying import claims, refunds
from orders.paying.claims import Remittance
from tests.world import GREENS, POMELO, SCHOOL, TODAY, World

TOMORROW = TODAY + timedelta(days=1)
_numbers = count(1)


class Trade:
    """Everything happens in one transaction per verb, at the clock the test has set."""

    def __init__(self, world: World) -> None:
        self.world = world

    # ---- supply ------------------------------------------------------------------------------------------------

    def product(self, name: str, supplier: str = GREENS, *, price_fen: int = 200, unit: str = "公斤",
                grams_per_unit: int = 1000, by_weight: bool = True, supply: str = "stocked",
                minimum_milli: int = 500, step_milli: int = 500, daily_milli: int = 0, certified: bool = False) -> int:
        """A listed good; returns its id."""
        village = self.world.villages["pomelo_home" if supplier == POMELO else "greens_home"]
        with db.transaction() as session:
            row = Product(
                supplier_id=self.world.organisation_id(supplier), category_id=self._category(), village_id=village,
                name=name, supply=supply, unit=unit, grams_per_unit=grams_per_unit, by_weight=by_weight,
                minimum_milli=minimum_milli, step_milli=step_milli, price_fen=price_fen, certified=certified,
                daily_capacity_milli=daily_milli, picture="cabbage", created_at=clock.now())
            session.add(row)
            session.flush()
            session.add(ProductPrice(product_id=row.id, price_fen=price_fen, valid_from=clock.now()))
            validity.recompute(row.supplier_id)
            return row.id

    def _category(self) -> int:
        session = db.session()
        found = session.scalar(select(Category.id).where(Category.code == "vegetables"))
        if found is None:
            category = Category(code="vegetables", name_zh="蔬菜", name_en="Vegetables", sort=1)
            session.add(category)
            session.flush()
            found = category.id
        return found

    def clerk_of(self, product_id: int) -> Visitor:
        name = db.session().scalar(select(Organisation.name).join(Product, Product.supplier_id == Organisation.id)
                                   .where(Product.id == product_id))
        return self.world.person("clerk.lv" if "香柚" in (name or "") else "clerk.zhang")

    def chair_of(self, supplier_id: int) -> Visitor:
        return self.world.person("chair.he" if supplier_id == self.world.organisation_id(POMELO) else "chair.shi")

    def officer_of(self, village_id: int) -> Visitor:
        login = {self.world.villages["pomelo_home"]: "village.kong", self.world.villages["greens_home"]: "village.cao"}
        return self.world.person(login.get(village_id, "township.yan"))

    def confirmer_of(self, lot_id: int) -> Visitor:
        """The nearest officer whose area holds all the villages of a lot."""
        officers = map(self.world.person, ("village.kong", "village.cao", "township.yan", "official.hua",
                                           "official.jin"))
        return next(officer for officer in officers if lot_confirmers.may(lot_id, officer))

    def members(self, supplier: str, village_id: int) -> list[int]:
        """Households of a village that are members of a co-operative."""
        return list(db.session().scalars(
            select(Household.id).join(CoopMember, CoopMember.household_id == Household.id)
            .where(CoopMember.supplier_id == self.world.organisation_id(supplier), Household.village_id == village_id)
            .order_by(Household.id)))

    def lot(self, product_id: int, kg: int = 100, *, farm_gate_fen: int = 120, grams: list[int] | None = None,
            households: list[int | None] | None = None, village: str | None = None, confirmed: bool = True,
            harvested_on: date | None = None, milli: int | None = None) -> int:
        """A lot brought by the first two member households of the co-operative's home village; returns its id."""
        clerk = self.clerk_of(product_id)
        supplier = POMELO if clerk.login == "clerk.lv" else GREENS
        village_id = self.world.villages[village or ("pomelo_home" if supplier == POMELO else "greens_home")]
        givers = households if households is not None else list(self.members(supplier, village_id)[:2])
        weights = grams or _halves(kg * 1000, len(givers))
        per_unit = db.session().scalars(select(Product.grams_per_unit).where(Product.id == product_id)).one()
        with db.transaction():
            lot = lots.book(
                product_id, harvested_on or clock.today(), milli or sum(weights) * 1000 // per_unit, farm_gate_fen,
                [Contribution(g, h, None if h else village_id) for g, h in zip(weights, givers, strict=True)], clerk,
                best_before=clock.today() + timedelta(days=40))
        if confirmed:
            with db.transaction():
                lots.confirm(lot.id, self.confirmer_of(lot.id))
        return lot.id

    def processed(self, product_id: int, grams: int, inputs: dict[int, int]) -> int:
        """A confirmed processed lot out of {lot id: milli}; returns its id."""
        clerk = self.clerk_of(product_id)
        per_unit = db.session().scalars(select(Product.grams_per_unit).where(Product.id == product_id)).one()
        with db.transaction():
            lot = lots.process(product_id, clock.today(), grams * 1000 // per_unit, grams,
                               [Ingredient(i, m) for i, m in inputs.items()], clerk,
                               best_before=clock.today() + timedelta(days=200))
        with db.transaction():
            lots.confirm(lot.id, self.confirmer_of(lot.id))
        return lot.id

    # ---- demand ------------------------------------------------------------------------------------------------

    def place(self, goods: dict[int, int], *, by: str = "cook.chen", token: str | None = None, day: date | None = None,
              unit: str = SCHOOL, window: str = "morning", payment_terms: str = "as_set") -> Placed:
        """A purchase of {product id: milli} for tomorrow morning."""
        wish = Wish(self.world.delivery_point_id(unit), day or clock.today() + timedelta(days=1), window,
                    payment_terms=payment_terms)
        with db.transaction():
            return checkout.place(list(goods.items()), wish, token or f"token {next(_numbers)}",
                                  self.world.person(by))

    def cabbage(self, kilos: int = 10, price_fen: int = 200, **how: Any) -> Order:
        """Ten kilos of cabbage in one order, ¥20.00, of a new lot; `how` as in place()."""
        cabbage = self.product("白菜", price_fen=price_fen, minimum_milli=1_000)
        self.lot(cabbage)
        return self.orders(self.place({cabbage: kilos * 1_000}, **how))[0]

    def orders(self, placed: Placed) -> list[Order]:
        return list(db.session().scalars(select(Order).where(Order.purchase_id == placed.id).order_by(Order.id)))

    def lines(self, order_id: int) -> list[OrderLine]:
        return list(db.session().scalars(
            select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.id)))

    def ship(self, order_id: int, packed: dict[int, list[tuple[int, int]]] | None = None) -> None:
        """Pack what is held, or {line id: [(lot id, milli)]}."""
        order = db.session().get_one(Order, order_id)
        boxes = ([Packed(line, lot, milli) for line, some in packed.items() for lot, milli in some] if packed else
                 [Packed(h["line_id"], h["lot_id"], h["milli"]) for h in shipments.suggestion(order_id)])
        login = "clerk.lv" if order.supplier_id == self.world.organisation_id(POMELO) else "clerk.zhang"
        with db.transaction():
            shipments.ship(order_id, boxes, self.world.person(login))

    def accept(self, order_id: int, taken: list[Taken] | None = None,
               receivers: tuple[str, str] = ("store.wang", "aunt.zhao")) -> None:
        """Take everything as ordered, or as told line by line."""
        told = taken or [self.in_full(line) for line in self.lines(order_id)]
        with db.transaction():
            acceptance.accept(order_id, told, (self.world.person(receivers[0]), self.world.person(receivers[1])))

    @staticmethod
    def in_full(line: OrderLine) -> Taken:
        if line.by_weight:
            return Taken(line.id, grams=line.ordered_milli * line.grams_per_unit // 1000)
        return Taken(line.id, milli=line.ordered_milli)

    # ---- money -------------------------------------------------------------------------------------------------

    def pay(self, order_id: int, fen: int, *, confirmed: bool = True) -> int:
        """Claim a transfer and, unless told otherwise, confirm it; returns the claim's id."""
        order = db.session().get_one(Order, order_id)
        with db.transaction():
            row: PaymentClaim = claims.claim({order_id: fen}, Remittance("永州演示第一小学", clock.today()),
                                             self.world.person("cashier.sun"))
        if confirmed:
            with db.transaction():
                claims.confirm(row.id, self.chair_of(order.supplier_id))
        return row.id

    def refund(self, order_id: int, fen: int) -> None:
        order = db.session().get_one(Order, order_id)
        chair = self.chair_of(order.supplier_id)
        clerk = self.world.person("clerk.lv" if chair.login == "chair.he" else "clerk.zhang")
        with db.transaction():
            asked = refunds.ask(order_id, fen, "", chair).id
        with db.transaction():
            refunds.confirm(asked, clock.today(), clerk)

    def proof(self) -> int:
        """An uploaded proof; returns the file's id."""
        with db.transaction() as session:
            number = next(_numbers)
            row = StoredFile(name=f"proof-{number}.webp", original_name="签收单.jpg", content_type="image/webp",
                             size_bytes=1, sha256=f"{number:064x}", visibility="parties", uploaded_at=clock.now())
            session.add(row)
            session.flush()
            return row.id

    def wage(self, supplier: str, household_id: int, fen: int, month: str = "2026-10", kind: str = "wage") -> int:
        chair = self.chair_of(self.world.organisation_id(supplier))
        self.tie(supplier, household_id)
        proof = self.proof()
        with db.transaction():
            row = declarations.declare(declarations.Declared(household_id, kind, month, fen, proof), chair)
        with db.transaction():
            declarations.confirm(row.id, self.officer_of(row.village_id))
        return row.id

    def tie(self, supplier: str, household_id: int, form: str = "employment", *, since: date = date(2026, 1, 1),
            confirmed: bool = True) -> int:
        """A linkage with a household, confirmed by its village; returns its id."""
        village = db.session().scalars(select(Household.village_id).where(Household.id == household_id)).one()
        tie = linkages.Tie(village, household_id, "direct_support", form, since, self.proof())
        with db.transaction():
            row = linkages.enter(tie, self.chair_of(self.world.organisation_id(supplier)))
        if confirmed:
            with db.transaction():
                linkages.confirm(row.id, self.officer_of(village))
        return row.id

    def agree_collective(self, supplier: str, village_id: int, points: int, since: date | None = None) -> None:
        chair = self.chair_of(self.world.organisation_id(supplier))
        with db.transaction():
            shares.agree_collective(village_id, points, since or TODAY, chair, self.officer_of(village_id))

    def pay_out(self, supplier_id: int, village_id: int, income_kind: str, fen: int) -> None:
        """Hand on to the collective, or to the village's households by what each is owed, the first ones first."""
        lines: list[tuple[int | None, int]] = [(None, fen)]
        if income_kind != "collective":
            lines, left = [], fen
            owed = households.dues(supplier_id, [village_id])
            for (_village, household, kind), due in sorted(owed.items(), key=lambda pair: pair[0][1] or 0):
                part = min(left, due.unpaid_fen)
                if kind == income_kind and household is not None and part > 0:
                    lines.append((household, part))
                    left -= part
            if left:  # more than is owed: to be refused
                first = select(Household.id).where(Household.village_id == village_id).order_by(Household.id).limit(1)
                lines.append((db.session().scalar(first), left))
        proof = self.proof()
        with db.transaction():
            payouts.pay(village_id, income_kind, lines, clock.today(), proof, self.chair_of(supplier_id),
                        self.officer_of(village_id))

    def stock_of(self, lot_id: int) -> tuple[int, int]:
        """on hand and held, in milli."""
        lot = db.session().get_one(Lot, lot_id, populate_existing=True)
        return lot.on_hand_milli, lot.held_milli


def _halves(total: int, parts: int) -> list[int]:
    return [total // parts + (1 if n < total % parts else 0) for n in range(parts)]


