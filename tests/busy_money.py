"""A school and a vegetable co-operative in the middle of a month of money: something of every kind, in every state."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select, update

from market import clock, db
from orders.banking import columns, table, taking
from orders.delivering import returns
from orders.models import BankRow, BankStatement, CardPayment, MoneyTask, Order
from orders.paying import card_refunds, cards, claims, refunds, tasks
from orders.paying.claims import Remittance
from orders.reconciling import night
from tests import bank_tables
from tests.bank_tables import line
from tests.stand_in import StandIn
from tests.trade import Trade
from tests.world import GREENS, World


class BusyMoney:
    """Everything comes about through the product's own verbs; only days are set back where something is late."""

    def __init__(self, app: Flask, world: World, stand_in: StandIn) -> None:
        self.app, self.world, self.stand_in, self.trade = app, world, stand_in, Trade(world)
        self.clerk, self.chair = world.person("clerk.zhang"), world.person("chair.shi")
        self.gateway = app.extensions["sijin_gateway"]
        self.account = stand_in.account(GREENS)
        self.good = self.trade.product("冬瓜", price_fen=200)
        self.trade.lot(self.good, 900)
        self.things: dict[str, Any] = {}
        self.by_transfer()
        self.by_card()
        self.in_the_bank()
        self.given_back()
        self.late()
        self.compared()

    def by_transfer(self) -> None:
        """Paid first, announced, announced under another name, refused, received, and received too much."""
        trade, cashier = self.trade, self.world.person("cashier.sun")
        trade.orders(trade.place({self.good: 10_000}, payment_terms="pay_first"))
        waiting = trade.pay(self.accepted(), 2_000, confirmed=False)
        two = {self.accepted(): 1_000, self.accepted(): 500}
        with db.transaction():
            claims.claim(two, Remittance("永州市冷水滩区国库集中支付核算中心", clock.today()), cashier)
        wrong = trade.pay(self.accepted(), 300, confirmed=False)
        with db.transaction():
            claims.refuse(wrong, "银行流水里没有这一笔", self.chair)
        self.over = self.accepted()
        trade.pay(self.over, 2_350)
        self.things |= {"unpaid": self.accepted(), "unpaid_too": self.accepted()}
        self.things |= {"claim_id": waiting, "refunds.new.order_id": self.over, "refused": wrong}

    def by_card(self) -> None:
        """One paid, one whose page is open."""
        paid = self.accepted()
        self.card_payment = self.at_the_page(paid)
        self.stand_in.pay(self.page_of(self.card_payment))
        assert cards.book(self.card_payment, self.gateway) == "paid"
        self.at_the_page(self.accepted())
        self.paid_by_card = paid
        self.things |= {"payment_id": self.card_payment, "cards.show.order_id": paid, "cards.index.order_id": paid}

    def in_the_bank(self) -> None:
        """A statement with a row that pays, a part, one too much, one of an order paid before, one nobody knows."""
        orders = [self.order(self.accepted()) for _ in range(3)]
        content = bank_tables.csv_of(*(line(*row) for row in (
            ("20.00", f"{orders[0].number} 货款"), ("12.50", orders[1].number), ("20.50", orders[2].number),
            ("5.00", "菜款"), ("23.50", self.order(self.over).number), ("20.00", "十月货款，请核对后入账", ))))
        opened = table.open_table(content)
        chosen = columns.guess(opened.headings)
        with db.transaction():
            mapping = taking.remember(opened.signature, chosen, "演示农商行", self.clerk)
            file_id = taking.keep(content, "流水.csv", self.clerk, self.app.extensions["sijin"].files_dir)
            upload = taking.take(file_id, table.read(opened, chosen), mapping, self.clerk)
        session, unknown = db.session(), select(BankRow.id).where(BankRow.state == "unknown").order_by(BankRow.id)
        self.things |= {"upload_id": upload, "bank_file_id": session.get_one(BankStatement, upload).file_id,
                        "row_id": session.scalars(unknown).first()}

    def given_back(self) -> None:
        """Asked for by goods, on its way to a wallet, done, refused, and owed without anybody having asked."""
        returned, by_card, done = self.accepted(), self.paid_by_card, self.accepted()
        for order_id in (returned, done):
            self.trade.pay(order_id, 2_000)
        for order_id in (returned, by_card, done):
            self.take_back(order_id)
        with db.transaction():
            goods = refunds.ask_by_lines(returned, {self.trade.lines(returned)[0].id: 1_000}, "发黄", self.clerk).id
        with db.transaction():
            wallet = refunds.ask(by_card, 300, "发黄", self.clerk, self.card_payment).id
        with db.transaction():
            card_refunds.send(wallet, self.chair)
        self.trade.refund(done, 200)
        with db.transaction():
            no = refunds.ask(done, 100, "再退一点", self.clerk).id
        with db.transaction():
            refunds.refuse(no, "已退清", self.chair)
        self.things |= {"refund_id": goods}

    def late(self) -> None:
        """Two that were due weeks ago, and one delivered that nobody has accepted."""
        for days in (3, 40):
            self.set(self.accepted(), pay_by=clock.today() - timedelta(days=days))
        on_its_way = self.trade.orders(self.trade.place({self.good: 10_000}))[0].id
        self.trade.ship(on_its_way)
        self.set(on_its_way, delivery_day=clock.today() - timedelta(days=9))
        self.things |= {"unit_id": self.order(on_its_way).unit_id}

    def compared(self) -> None:
        """A night of each kind; at the provider there is money that no order asked for."""
        self.stand_in.foreign_charge(self.account, 900)
        site = self.app.extensions
        with clock.at(clock.now() + timedelta(hours=1)):
            for scope in ("bank", "card"):
                with db.transaction():
                    run = night.begin(scope, f"busy {scope}")
                assert run is not None
                night.run(run, site["sijin_gateway"], site["sijin_hands"], site["sijin"].files_dir)
        found = db.session().scalars(select(MoneyTask.id).where(MoneyTask.state == "open").order_by(MoneyTask.id)).all()
        if len(found) > 1:
            with db.transaction():
                tasks.settle(found[-1], "与银行核对过", self.chair)
        self.things |= {"run_id": run, "task_id": found[0]}

    # ---- steps ------------------------------------------------------------------------------------------------------

    def accepted(self) -> int:
        """Ten kilos for ¥20.00, accepted; returns the order's id."""
        order = self.trade.orders(self.trade.place({self.good: 10_000}))[0].id
        self.trade.ship(order)
        self.trade.accept(order)
        return order

    def take_back(self, order_id: int) -> None:
        """A kilo and a half goes back."""
        with db.transaction():
            returns.take_back(order_id, {self.trade.lines(order_id)[0].id: 1_500}, "发黄",
                              self.world.person("store.wang"), self.chair)

    def at_the_page(self, order_id: int) -> int:
        """The cashier has gone to the provider's page; returns the payment's id."""
        with db.transaction():
            payment = cards.start(order_id, self.world.person("cashier.sun"), self.gateway).id
        cards.open_page(payment, self.gateway)
        return payment

    def page_of(self, payment_id: int) -> str:
        return str(db.session().scalars(select(CardPayment.session_url).where(CardPayment.id == payment_id)).one())

    def order(self, order_id: int) -> Order:
        return db.session().get_one(Order, order_id)

    def set(self, order_id: int, **values: object) -> None:
        with db.transaction() as session:
            session.execute(update(Order).where(Order.id == order_id).values(**values))


def things(app: Flask, world: World, stand_in: StandIn) -> Mapping[str, Any]:
    """What stands in the addresses of the pages of money, by the names of their arguments (or endpoint.argument)."""
    return BusyMoney(app, world, stand_in).things
