"""Short ways to papers of trade in the named people's world."""

import io
from datetime import date, timedelta

from pypdf import PdfReader

from market import clock, db
from market.access import Visitor
from orders.models import Order
from orders.papers import invoices, statements
from orders.papers.invoices import Sent
from orders.papers.models import Invoice, InvoiceRequest, Statement
from tests.trade import Trade
from tests.world import GREENS, NOON, SCHOOL

NOVEMBER = NOON + timedelta(days=25)  # 6 November
MONTH = "2026-10"
TITLE = {"name": "永州演示第一小学", "tax_number": "12431100MB1234567T", "address": "永州市冷水滩区演示路1号",
         "phone": "0746-1234567", "bank_name": "演示农商银行", "bank_account": "8200 0000 0001"}
NUMBER, OTHER, RED = "26432000000012345678", "26432000000012345679", "26432000000099999999"


class Papers:
    """A school that bought cabbage in October; every verb in a transaction of its own."""

    def __init__(self, trade: Trade) -> None:
        self.trade, self.world = trade, trade.world

    def accepted(self, milli: int = 10_000, *, price_fen: int = 200, name: str = "白菜") -> Order:
        """Ten kilos for ¥20.00, received in full."""
        cabbage = self.trade.product(name, price_fen=price_fen, minimum_milli=1000)
        self.trade.lot(cabbage, 100)
        order = self.trade.orders(self.trade.place({cabbage: milli}))[0]
        self.trade.ship(order.id)
        self.trade.accept(order.id)
        return db.session().get_one(Order, order.id, populate_existing=True)

    @property
    def chair(self) -> Visitor:
        return self.world.person("chair.shi")

    @property
    def cashier(self) -> Visitor:
        return self.world.person("cashier.sun")

    def statement(self, month: str = MONTH, *, by: str = "chair.shi") -> Statement:
        with clock.at(NOVEMBER), db.transaction():
            return statements.issue(self.world.organisation_id(SCHOOL), month, self.world.person(by))

    def request(self, order_id: int) -> InvoiceRequest:
        self.keep_title()
        with db.transaction():
            return invoices.ask_for_order(order_id, "", None, self.cashier)

    def keep_title(self) -> None:
        with db.transaction():
            invoices.keep_title(TITLE, self.cashier)

    def send(self, request_id: int, fen: int, number: str = NUMBER, issued_on: date | None = None) -> Invoice:
        proof = self.trade.proof()
        with db.transaction():
            return invoices.send(request_id, Sent(number, fen, issued_on or clock.today(), True), proof, self.chair)

    @property
    def greens(self) -> int:
        return self.world.organisation_id(GREENS)


def text_of(pdf: bytes) -> str:
    """All words of a PDF without blanks, since papers set figures in cells of their own."""
    return "".join("".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages)


def pages_of(pdf: bytes) -> int:
    return len(PdfReader(io.BytesIO(pdf)).pages)


def fonts_of(pdf: bytes) -> set[tuple[str, bool]]:
    """Names of the fonts, each with whether its file lies in the PDF."""
    found = set()
    for page in PdfReader(io.BytesIO(pdf)).pages:
        for font in page["/Resources"]["/Font"].values():
            inner = font.get_object()["/DescendantFonts"][0].get_object()
            descriptor = inner["/FontDescriptor"].get_object()
            found.add((str(inner["/BaseFont"]), bool({"/FontFile2", "/FontFile3"} & descriptor.keys())))
    return found
