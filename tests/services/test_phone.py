"""Phone orders: typed by the co-operative, ordered by nobody but the canteen, and gone when nobody confirms."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from market import clock, db, logins, outbox
from market.errors import InvalidInput, NotFound, SecondPersonNeeded
from market.parties import Membership
from orders.buying.checkout import PricesChanged
from orders.models import Order, Purchase
from orders.phone import calls, jobs, links
from orders.phone.calls import Expired, Link, NoLongerOpen, Said
from orders.phone.models import PhoneOrder
from tests.standing_plans import set_limit, set_price, told
from tests.trade import TOMORROW, Trade
from tests.world import GREENS, HOSPITAL, NOON, SCHOOL, TODAY, World

IN_TWO_DAYS = TODAY + timedelta(days=2)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def cabbage(trade: Trade) -> int:
    product = trade.product("白菜", price_fen=200)
    trade.lot(product)
    return product


def type_in(world: World, product: int, *, by: str = "clerk.zhang", unit: str = SCHOOL, day=IN_TWO_DAYS,
            milli: int = 10_000) -> int:
    said = Said(world.organisation_id(unit), day, "morning", [(product, milli)])
    with db.transaction():
        return calls.type_in(said, Link(f"nonce {product}", f"hash of {product} {milli}"), world.person(by))


def confirm(world: World, order_id: int, by: str = "cook.chen", shown_fen: int = 2_000) -> int:
    with db.transaction():
        return calls.confirm(order_id, world.delivery_point_id(), "canteen", shown_fen, world.person(by))


def state(order_id: int) -> str:
    return db.session().scalars(select(PhoneOrder.state).where(PhoneOrder.id == order_id)).one()


def counted(table: type[db.Base]) -> int:
    return db.session().scalar(select(func.count()).select_from(table)) or 0


def work() -> None:
    jobs.expire()
    outbox.drain(jobs.HANDLERS)


def test_typed_it_is_no_order_and_holds_nothing(world, trade, cabbage):
    order_id = type_in(world, cabbage)
    work()
    assert (counted(Purchase), counted(Order)) == (0, 0)
    assert told(world) == ["phone.typed"]
    assert told(world, GREENS) == told(world, HOSPITAL) == []
    assert state(order_id) == "open"


def test_one_tap_of_the_canteen_orders(world, trade, cabbage):
    order_id = type_in(world, cabbage)
    purchase_id = confirm(world, order_id)
    bought = db.session().get_one(Purchase, purchase_id)
    assert (bought.source, bought.ordered_by, bought.delivery_day, bought.total_fen) == (
        "phone", world.person("cook.chen").id, IN_TWO_DAYS, 2_000)
    assert confirm(world, order_id) == confirm(world, order_id, by="admin.qian") == purchase_id
    assert counted(Purchase) == 1
    assert state(order_id) == "confirmed"


def test_the_units_limit_applies_as_to_any_purchase(world, cabbage):
    set_limit(world, 1_999)
    confirm(world, type_in(world, cabbage))
    assert db.session().scalars(select(Purchase.approval)).one() == "waiting"
    assert db.session().scalars(select(Order.state)).one() == "waiting"


def test_a_price_that_has_changed_is_shown_again(world, cabbage):
    order_id = type_in(world, cabbage)
    set_price(cabbage, 210)
    with pytest.raises(PricesChanged):
        confirm(world, order_id)
    assert (state(order_id), counted(Purchase)) == ("open", 0)
    confirm(world, order_id, shown_fen=2_100)
    assert counted(Purchase) == 1


@pytest.mark.parametrize(("day", "minutes"), [(IN_TWO_DAYS, 24 * 60), (TOMORROW, 12 * 60)])
def test_it_expires_after_a_day_or_when_its_day_begins_whichever_is_first(world, cabbage, day, minutes):
    order_id = type_in(world, cabbage, day=day)
    with clock.at(NOON + timedelta(minutes=minutes, seconds=-1)):
        work()
        assert state(order_id) == "open"
    with clock.at(NOON + timedelta(minutes=minutes)):
        with pytest.raises(Expired):
            confirm(world, order_id)
        work()
        assert state(order_id) == "expired"
        with pytest.raises(Expired):
            confirm(world, order_id)
    assert (counted(Purchase), counted(Order)) == (0, 0)
    assert told(world) == ["phone.typed", "phone.expired_here"]
    assert told(world, GREENS) == ["phone.expired"]


def test_just_before_it_expires_it_can_be_confirmed(world, cabbage):
    order_id = type_in(world, cabbage)
    with clock.at(NOON + timedelta(minutes=24 * 60, seconds=-1)):
        confirm(world, order_id)
    with clock.at(NOON + timedelta(days=2)):
        work()
    assert state(order_id) == "confirmed"


def test_who_typed_it_or_belongs_to_the_cooperative_never_confirms(world, cabbage):
    order_id = type_in(world, cabbage)
    school = world.organisation_id(SCHOOL)
    with db.transaction() as session:
        for login in ("clerk.zhang", "chair.shi"):
            session.add(Membership(user_id=world.person(login).id, organisation_id=school, role="requester"))
    for login in ("clerk.zhang", "chair.shi"):
        with pytest.raises(SecondPersonNeeded), db.transaction():
            as_cook = logins.visitor_of_login(login, school)
            calls.confirm(order_id, world.delivery_point_id(), "canteen", 2_000, as_cook)
    assert (state(order_id), counted(Purchase)) == ("open", 0)


def test_strangers_find_nothing(world, cabbage):
    order_id = type_in(world, cabbage)
    with pytest.raises(NotFound):
        confirm(world, order_id, by="cook.wu")
    with pytest.raises(NotFound), db.transaction():
        calls.withdraw(order_id, world.person("clerk.lv"))
    with pytest.raises(NotFound):
        calls.id_of_token("anything", world.person("cook.chen"))
    assert state(order_id) == "open"


def test_declined_or_withdrawn_it_cannot_be_confirmed(world, cabbage):
    declined, withdrawn = type_in(world, cabbage), type_in(world, cabbage, milli=11_000)
    with db.transaction():
        calls.decline(declined, "打错了", world.person("cook.chen"))
    with db.transaction():
        calls.withdraw(withdrawn, world.person("clerk.zhang"))
    work()
    for order_id in (declined, withdrawn):
        with pytest.raises(NoLongerOpen):
            confirm(world, order_id)
    assert counted(Purchase) == 0
    assert told(world, GREENS) == ["phone.declined"]


def test_only_own_goods_for_a_real_unit_and_day_are_typed(world, trade, cabbage):
    with pytest.raises(NotFound):
        type_in(world, cabbage, by="clerk.lv")
    with pytest.raises(NotFound):
        type_in(world, cabbage, unit="pomelo")
    with pytest.raises(InvalidInput) as refused:
        type_in(world, cabbage, day=TODAY, milli=300)
    assert set(refused.value.fields) == {"delivery_day", "lines-0-quantity_milli"}
    assert counted(PhoneOrder) == 0


def test_the_key_and_the_row_together_make_the_link_and_only_its_hash_is_kept(world, cabbage):
    link = links.new("key of this installation")
    said = Said(world.organisation_id(SCHOOL), IN_TWO_DAYS, "morning", [(cabbage, 10_000)])
    with db.transaction():
        order_id = calls.type_in(said, link, world.person("clerk.zhang"))
    token = links.token_of(link.nonce, "key of this installation")
    assert calls.id_of_token(token, world.person("cook.chen")) == order_id
    row = db.session().get_one(PhoneOrder, order_id)
    assert token not in {row.nonce, row.token_hash}
    with pytest.raises(NotFound):
        calls.id_of_token(links.token_of(link.nonce, "another key"), world.person("cook.chen"))
    with pytest.raises(NotFound):
        calls.id_of_token(token, world.person("cook.wu"))
