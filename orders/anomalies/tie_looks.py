"""Looks at ties between a unit and a co-operative that trade: what both, or their acting people, have in common."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import func, select

from catalog.entry.models import Application
from catalog.tracing.models import Certificate
from market import db, money
from market.errors import N_
from market.figures import Where
from market.parties import DeliveryPoint, Membership, Organisation
from market.users import User
from orders.anomalies.found import MOST_EVIDENCE, TIES, Found, names_of, of_unit_or_supplier
from orders.anomalies.money_looks import plain
from orders.anomalies.people_looks import plain_mail
from orders.models import Order
from orders.papers.models import InvoiceTitle
from orders.units.models import UnitApplication

SHARED_BY_MANY = 4  # a switchboard, an office building: what so many organisations share ties nobody
SHORTEST = 7  # letters of an address or digits of a number that say where or who
Token = tuple[str, str]


def self_dealing(begin: date, end: date, where: Where) -> Iterator[Found]:
    """Pairs that traded in these months; one case for a pair and what it shares, with its orders of these months."""
    units, suppliers = db.table(Organisation).alias("unit"), db.table(Organisation).alias("supplier")
    in_time = (Order.business_date >= begin) & (Order.business_date < end) & (Order.state != "cancelled")
    pairs = db.session().execute(
        select(Order.unit_id, Order.supplier_id, func.max(Order.business_date).label("day"))
        .join(units, units.c.id == Order.unit_id).join(suppliers, suppliers.c.id == Order.supplier_id)
        .where(in_time, of_unit_or_supplier(where, units.c.division_id, suppliers.c.division_id))
        .group_by(Order.unit_id, Order.supplier_id).order_by(Order.unit_id, Order.supplier_id)).all()
    tokens = _tokens()
    tied = [(pair, sorted(tokens[pair.unit_id] & tokens[pair.supplier_id])) for pair in pairs
            if not tokens[pair.unit_id].isdisjoint(tokens[pair.supplier_id])]
    orders: dict[tuple[int, int], list[Any]] = defaultdict(list)
    for row in db.session().execute(
            select(Order.id, Order.number, Order.unit_id, Order.supplier_id, Order.placed_fen, Order.business_date)
            .where(in_time, Order.unit_id.in_({pair.unit_id for pair, _shared in tied}),
                   Order.supplier_id.in_({pair.supplier_id for pair, _shared in tied})).order_by(Order.id)):
        orders[row.unit_id, row.supplier_id].append(row)
    names = names_of(number for pair, _shared in tied for number in (pair.unit_id, pair.supplier_id))
    for pair, shared in tied:
        theirs = orders[pair.unit_id, pair.supplier_id]
        kind = shared[0][0]
        yield Found("self_dealing", f"{pair.unit_id}/{pair.supplier_id}/{kind}",
                    f"{names[pair.unit_id]} · {names[pair.supplier_id]}",
                    N_("%(what)s; %(count)s orders, ¥%(yuan)s"),
                    {"what": TIES[kind], "count": len(theirs),
                     "yuan": money.yuan(sum(row.placed_fen for row in theirs))},
                    pair.day, pair.unit_id, pair.supplier_id, tuple(row.id for row in theirs),
                    [*((token[0], _masked(*token), None, None) for token in shared),
                     *(("order", row.number, row.placed_fen, row.business_date) for row in theirs)][:MOST_EVIDENCE])


def _masked(kind: str, text: str) -> str:
    """The end of a number that is shared; of the rest nothing but that it is shared."""
    return f"…{text[-4:]}" if kind in ("phone", "account", "code") else ""


def _tokens() -> defaultdict[int, set[Token]]:
    """What identifies each organisation, by its id; what many share is left out."""
    said: set[tuple[int, str, str]] = set()
    for row in _said():
        said.update((row[0], kind, text) for kind, text in row[1] if text)
    shared: dict[Token, set[int]] = defaultdict(set)
    for organisation, kind, text in said:
        shared[kind, text].add(organisation)
    tokens: defaultdict[int, set[Token]] = defaultdict(set)
    for token, organisations in shared.items():
        if 2 <= len(organisations) <= SHARED_BY_MANY or (token[0] == "person" and len(organisations) > 1):
            for organisation in organisations:
                tokens[organisation].add(token)
    return tokens


def _said() -> Iterator[tuple[int, list[Token]]]:
    """Every table that says how an organisation or one of its people is reached: seven statements."""
    for row in _rows(
            select(Organisation.id, Organisation.phone, Organisation.bank_account, Organisation.contact_name,
                   Organisation.credit_code).where(Organisation.kind != "office")):
        yield row.id, [_number("phone", row.phone), _number("account", row.bank_account),
                       ("code", row.credit_code or ""), _both(row.contact_name, row.phone)]
    for row in _rows(
            select(Membership.organisation_id, User.id, User.name, User.mobile, User.email)
            .join(User, User.id == Membership.user_id).join(Organisation, Organisation.id == Membership.organisation_id)
            .where(Organisation.kind != "office")):
        yield row.organisation_id, [
            ("person", str(row.id)), _number("phone", row.mobile or ""), _both(row.name, row.mobile or ""),
            ("mail", plain_mail(row.email) if row.email else "")]
    for row in _rows(
            select(DeliveryPoint.unit_id, DeliveryPoint.address, DeliveryPoint.phone, DeliveryPoint.contact)
            .where(DeliveryPoint.closed_at.is_(None))):
        yield row.unit_id, [_number("phone", row.phone), _number("address", row.address),
                            _both(row.contact, row.phone)]
    for row in _rows(select(InvoiceTitle.unit_id, InvoiceTitle.address, InvoiceTitle.phone,
                                           InvoiceTitle.bank_account, InvoiceTitle.tax_number)):
        yield row.unit_id, [_number("phone", row.phone), _number("account", row.bank_account),
                            _number("address", row.address), ("code", row.tax_number)]
    for row in _rows(
            select(Application.supplier_id, Application.legal_person, Application.mobile, Application.bank_account,
                   Application.credit_code).where(Application.state == "admitted")):
        yield row.supplier_id, [_number("phone", row.mobile), _number("account", row.bank_account),
                                ("code", row.credit_code or ""), _both(row.legal_person, row.mobile)]
    for row in _rows(select(UnitApplication.unit_id, UnitApplication.mobile,
                                           UnitApplication.credit_code).where(UnitApplication.state == "admitted")):
        yield row.unit_id, [_number("phone", row.mobile), ("code", row.credit_code)]
    for row in _rows(
            select(Certificate.supplier_id, Certificate.address, Certificate.contact).distinct()):
        yield row.supplier_id, [_number("address", row.address), _number("phone", row.contact)]


def _rows(query: Any) -> Iterator[Any]:
    yield from db.session().execute(query)


def _number(kind: str, text: str) -> Token:
    """A phone, account or address, in one way of writing; nothing where it is too short to say anything."""
    short = plain(text)
    return (kind, short if len(short) >= SHORTEST else "")


def _both(name: str, phone: str) -> Token:
    return ("name_phone", f"{plain(name)} {plain(phone)}" if name and len(plain(phone)) >= SHORTEST else "")
