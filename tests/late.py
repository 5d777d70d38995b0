"""Orders that are to be paid by a day, between the named people."""

from datetime import date, timedelta

from sqlalchemy import select, update

from market import clock, db
from market.parties import Membership, Organisation
from market.places import Division
from market.users import User
from orders.models import Order, Shipment
from tests.trade import Trade
from tests.world import SCHOOL, TODAY, World


class Late:
    """One good of each co-operative, and orders of ¥20.00 as late as one wishes on TODAY."""

    def __init__(self, world: World) -> None:
        self.world, self.trade = world, Trade(world)
        self.goods = {"greens": self.trade.product("白菜", supply="stocked"),
                      "pomelo": self.trade.product("香柚", "pomelo")}
        for product in self.goods.values():
            self.trade.lot(product, 9_000)

    def order(self, days: int | None, *, accepted: bool = True, of: str = "greens", unit: str = SCHOOL,
              by: str = "cook.chen", delivered: date | None = None, kilos: int = 10) -> int:
        """An order whose last day of payment was so many days before TODAY; returns its id."""
        placed = self.trade.place({self.goods[of]: kilos * 1000}, by=by, unit=unit,
                                  day=max(delivered or clock.today(), clock.today()) + timedelta(days=1))
        order = self.trade.orders(placed)[0].id
        self.trade.ship(order)
        if accepted:
            self.trade.accept(order)
        self.change(order, pay_by=None if days is None else TODAY - timedelta(days=days),
                    **({"delivery_day": delivered} if delivered else {}))
        if delivered:
            with db.transaction() as session:
                session.execute(update(Shipment).where(Shipment.order_id == order).values(business_date=delivered))
        return order

    @staticmethod
    def change(order: int, **values: object) -> None:
        with db.transaction() as session:
            session.execute(update(Order).where(Order.id == order).values(**values))

    def office(self, kind: str, county: str = "431125", login: str = "") -> int:
        """An office of a county with one official; returns its id."""
        with db.transaction() as session:
            place = session.scalars(select(Division.id).where(Division.code.startswith(county),
                                                              Division.level == "county")).one()
            office = Organisation(kind="office", name=f"{county}{kind}", short_name=f"{county}{kind}",
                                  office_kind=kind, division_id=place, created_at=clock.now())
            official = User(login=login or f"{kind}.{county}", name="财科长", mobile=f"1380{county}0", password_hash="",
                            created_at=clock.now(), email=f"{kind}{county}@example.cn")
            session.add_all([office, official])
            session.flush()
            session.add(Membership(user_id=official.id, organisation_id=office.id, role="official"))
            return office.id

    def move(self, unit: str, county: str) -> None:
        """The unit lies in a county."""
        with db.transaction() as session:
            place = session.scalars(select(Division.id).where(Division.code.startswith(county),
                                                              Division.level == "county")).one()
            session.execute(update(Organisation).where(Organisation.id == self.world.organisation_id(unit))
                            .values(division_id=place))
