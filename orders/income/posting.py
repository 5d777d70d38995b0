"""What a document posts to the ledger: the only place where orders become transfers.

Each builder is pure over a document's row, so that the audit can build the same transfers again and compare.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import select

from market import db, ledger, money
from market.ledger import Transfer
from orders import attribution
from orders.models import CollectiveAgreement, Order, OrderLine


@dataclass(frozen=True)
class AcceptedPart:
    """An acceptance part with what its posting needs of the order line."""

    id: int
    acceptance_line_id: int
    part: attribution.Part
    collective_fen: int
    line_id: int
    category: str
    certified: bool
    business_date: date
    linkage_id: int | None = None
    collective_linkage_id: int | None = None
    weigh_paid_fen: int = 0

    @classmethod
    def of(cls, part: attribution.Part, line: OrderLine, acceptance_line_id: int, share: CollectiveAgreement | None,
           linkage_id: int | None, business_date: date) -> "AcceptedPart":
        return cls(0, acceptance_line_id, part, money.part_of(part.amount_fen, share.basis_points if share else 0),
                   line.id, line.category, line.certified, business_date, linkage_id,
                   share.linkage_id if share else None)

    @property
    def income_held(self) -> bool:
        """More income than the goods cost is not published until somebody has cleared it."""
        return self.part.farm_gate_fen + self.collective_fen > self.part.amount_fen

    def row(self) -> dict[str, Any]:
        """The columns of an AcceptancePart."""
        return {
            "acceptance_line_id": self.acceptance_line_id, "shipment_line_id": self.part.shipment_line_id,
            "lot_id": self.part.lot_id, "lot_share_id": self.part.share_id, "village_id": self.part.village_id,
            "grams": self.part.grams, "amount_fen": self.part.amount_fen, "farm_gate_fen": self.part.farm_gate_fen,
            "collective_fen": self.collective_fen, "income_held": self.income_held, "linkage_id": self.linkage_id,
            "collective_linkage_id": self.collective_linkage_id, "weigh_paid_fen": 0, "returned_grams": 0,
            "returned_fen": 0, "withdrawn_farm_gate_fen": 0, "withdrawn_collective_fen": 0, "received_fen": 0,
        }


def on_accepted(order: Order, parts: Sequence[AcceptedPart]) -> None:
    """Post what an acceptance means: the unit owes the co-operative, the co-operative owes the villages.

    The freight is owed once something of the order is accepted, whatever goes back later.
    """
    transfers: list[Transfer] = []
    if order.state == "accepted" and parts:
        transfers += freight(facts_of(order, None), order.id, order.freight_fen, parts[0].business_date)
        transfers += fee(order, f"fee:{order.id}", money.part_of(order.accepted_fen, order.fee_points),
                         parts[0].business_date)
    for part in parts:
        facts = facts_of(order, {
            "id": part.id, "village_id": part.part.village_id, "lot_id": part.part.lot_id, "line_id": part.line_id,
            "category": part.category, "certified": part.certified, "linkage_id": part.linkage_id,
            "collective_linkage_id": part.collective_linkage_id})
        transfers += accepted(facts, part.part.amount_fen, part.part.grams, part.business_date)
        if not part.income_held:
            transfers += attributed(facts, part.part.farm_gate_fen, part.collective_fen, part.business_date,
                                    part.weigh_paid_fen)
    ledger.post(transfers)


def facts_of(order: Any, part: Mapping[str, Any] | None) -> dict[str, Any]:
    """The columns of a transfer about a part, and the part's id; about money on no goods, only the parties."""
    facts: dict[str, Any] = {
        "supplier_id": order.supplier_id, "unit_id": order.unit_id, "unit_type": order.unit_type,
        "method": order.method, "fund_source": order.fund_source, "order_ref": order.number,
    }
    if part is not None:
        facts |= {"part_id": part["id"], "village_id": part["village_id"], "lot_id": part["lot_id"],
                  "category": part["category"], "certified": part["certified"], "line_ref": str(part["line_id"]),
                  "linkages": (part["linkage_id"], part["collective_linkage_id"])}
    return facts


def accepted(facts: dict[str, Any], amount_fen: int, grams: int, day: date) -> list[Transfer]:
    """The unit owes the co-operative for accepted goods."""
    return _transfer("accepted", f"part:{facts['part_id']}", _unit(facts), _supplier(facts), amount_fen, day, facts,
                     grams=grams)


def moved(facts: dict[str, Any], change_id: int, amount_fen: int, grams: int, day: date, *,
          back: bool) -> list[Transfer]:
    """Accepted goods count for another unit: taken back from the first, booked for the second."""
    return _transfer("accepted", _of_change(change_id, facts["part_id"], back), *_owed(facts, back), amount_fen, day,
                     facts, grams=grams)


def freight(facts: dict[str, Any], order_id: int, amount_fen: int, day: date) -> list[Transfer]:
    """The unit owes the co-operative for the way: no goods, no village, no weight."""
    return _transfer("freight", f"freight:{order_id}", _unit(facts), _supplier(facts), amount_fen, day, facts)


def freight_moved(facts: dict[str, Any], change_id: int, amount_fen: int, day: date, *, back: bool) -> list[Transfer]:
    """The freight of an order that counts for another unit."""
    return _transfer("freight", _of_change(change_id, "freight", back), *_owed(facts, back), amount_fen, day, facts)


def fee(order: Any, source: str, amount_fen: int, day: date) -> list[Transfer]:
    """The co-operative owes the platform its fee; a negative amount gives back of it. No unit has a part in it."""
    debit, credit = (f"supplier:{order.supplier_id}", "fees") if amount_fen > 0 else (
        "fees", f"supplier:{order.supplier_id}")
    return _transfer("fee", source, debit, credit, abs(amount_fen), day,
                     {"supplier_id": order.supplier_id, "order_ref": order.number})


def fee_back(order: Any, return_id: int, left_fen: int, returned_fen: int, day: date) -> list[Transfer]:
    """Goods for `returned_fen` of `left_fen` go back: just so much of the fee that it is the share of what is left."""
    before, after = (money.part_of(fen, order.fee_points) for fen in (left_fen, left_fen - returned_fen))
    return fee(order, f"fee:return:{return_id}", after - before, day)


def _of_change(change_id: int, what: int | str, back: bool) -> str:
    return f"credit:{change_id}:{what}:{'from' if back else 'to'}"


def _owed(facts: dict[str, Any], back: bool) -> tuple[str, str]:
    """Debit and credit of what a unit owes a co-operative, or no longer owes."""
    return (_supplier(facts), _unit(facts)) if back else (_unit(facts), _supplier(facts))


def attributed(facts: dict[str, Any], farm_gate_fen: int, collective_fen: int, day: date,
               weigh_paid_fen: int = 0) -> list[Transfer]:
    """The co-operative owes the households their farm-gate price, less what they were paid when they brought the
    goods, and the collective its share."""
    part, (linkage, collective_linkage) = f"part:{facts['part_id']}", facts["linkages"]
    return [
        *_transfer("attributed", f"{part}:farm_gate", _due(facts), _households(facts), farm_gate_fen, day, facts,
                   income_kind="farm_gate", linkage_id=linkage),
        *_transfer("paid_out", f"{part}:weigh_in", _households(facts), _due(facts), weigh_paid_fen, day, facts,
                   income_kind="farm_gate", linkage_id=linkage),
        *_transfer("attributed", f"{part}:collective", _due(facts), _collective(facts), collective_fen, day, facts,
                   income_kind="collective", linkage_id=collective_linkage),
    ]


def left_of(income_fen: int, grams: int, returned_grams: int) -> int:
    """Income (fen) of what has not gone back of so many grams.

    >>> left_of(1200, 10_000, 2_500)
    900
    """
    return income_fen - income_fen * returned_grams // grams


def returned(facts: dict[str, Any], return_part_id: int, amount_fen: int, grams: int, farm_gate_fen: int,
             collective_fen: int, day: date) -> list[Transfer]:
    """Goods come back: the unit owes less, and what was not yet paid of their income is taken back."""
    source, (linkage, collective_linkage) = f"return:{return_part_id}", facts["linkages"]
    return [
        *_transfer("returned", source, _supplier(facts), _unit(facts), amount_fen, day, facts, grams=grams),
        *_transfer("withdrawn", source + ":farm_gate", _households(facts), _due(facts), farm_gate_fen, day, facts,
                   income_kind="farm_gate", linkage_id=linkage),
        *_transfer("withdrawn", source + ":collective", _collective(facts), _due(facts), collective_fen, day, facts,
                   income_kind="collective", linkage_id=collective_linkage),
    ]


def received(facts: dict[str, Any], receipt_share_id: int, amount_fen: int, day: date) -> list[Transfer]:
    """Money has arrived at the co-operative; a negative amount moves it away from where it lay."""
    debit, credit = _supplier(facts), _unit(facts)
    if amount_fen < 0:
        debit, credit = credit, debit
    return _transfer("received", f"receipt:{receipt_share_id}", debit, credit, abs(amount_fen), day, facts)


def refunded(facts: dict[str, Any], refund_share_id: int, amount_fen: int, day: date) -> list[Transfer]:
    """The co-operative has given money back to the unit."""
    return _transfer("refunded", f"refund:{refund_share_id}", _unit(facts), _supplier(facts), amount_fen, day, facts)


def declared(declaration: Any) -> list[Transfer]:
    """A wage, rent, dividend or collective's money that the village has confirmed."""
    facts = {"supplier_id": declaration.supplier_id, "village_id": declaration.village_id,
             "household_id": declaration.household_id}
    account = _collective(facts) if declaration.kind == "collective" else _households(facts)
    return _transfer("attributed", f"declaration:{declaration.id}", _due(facts), account, declaration.amount_fen,
                     declaration.business_date, facts, income_kind=declaration.kind, linkage_id=declaration.linkage_id)


def corrected(correction: Any, declaration: Any) -> list[Transfer]:
    """So much of a confirmed declaration is taken back: the same movement exchanged, on a day of its own."""
    return [replace(transfer.exchanged(f"correction:{correction.id}"), amount_fen=correction.amount_fen,
                    business_date=correction.business_date) for transfer in declared(declaration)]


def paid_out(payout: Any, line: Any, share: Any) -> list[Transfer]:
    """Money handed on to a household or a collective, for income from goods of one category."""
    facts = {"supplier_id": payout.supplier_id, "village_id": payout.village_id, "household_id": line.household_id,
             "category": share.category}
    account = _collective(facts) if payout.income_kind == "collective" else _households(facts)
    source = f"payout:{share.payout_line_id}" + (f":{share.part}" if share.part else "")
    return _transfer("paid_out", source, account, _due(facts), share.amount_fen, payout.business_date, facts,
                     income_kind=payout.income_kind)


def collective_shares(supplier_id: int, villages: set[int], day: date) -> dict[int, CollectiveAgreement]:
    """The collective's dated share by village; the newest agreement of a day holds."""
    rows = db.session().scalars(
        select(CollectiveAgreement)
        .where(CollectiveAgreement.supplier_id == supplier_id, CollectiveAgreement.village_id.in_(villages),
               CollectiveAgreement.valid_from <= day,
               CollectiveAgreement.valid_to.is_(None) | (CollectiveAgreement.valid_to > day))
        .order_by(CollectiveAgreement.id)
    )
    return {row.village_id: row for row in rows}


def _transfer(event: str, source: str, debit: str, credit: str, amount_fen: int, day: date, facts: dict[str, Any],
              **more: Any) -> list[Transfer]:
    """One transfer, or none for nothing."""
    if amount_fen == 0:
        return []
    columns = {name: value for name, value in facts.items() if name not in ("part_id", "linkages")}
    return [Transfer(event, source, debit, credit, amount_fen, day, **columns, **more)]


def _unit(facts: dict[str, Any]) -> str:
    return f"unit:{facts['unit_id']}"


def _supplier(facts: dict[str, Any]) -> str:
    return f"supplier:{facts['supplier_id']}"


def _due(facts: dict[str, Any]) -> str:
    return f"due:{facts['supplier_id']}"


def _households(facts: dict[str, Any]) -> str:
    return f"households:{facts['village_id']}"


def _collective(facts: dict[str, Any]) -> str:
    return f"collective:{facts['village_id']}"
