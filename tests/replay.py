"""Sales and income by village, worked out a second time: plain arithmetic over the documents alone.

Nothing here comes from the product's own rules (attribution, pricing, posting, ledger, figures); rows are read as they
lie in the tables, in the order in which the journal says that things happened.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from sqlalchemy import MetaData, Table, select

from market import db

KINDS = ("farm_gate", "wage", "land", "dividend", "collective")
MONEY = ("accepted", "returned", "certified", "received", "grams", "paid_out", *KINDS)


def half_up(value: Fraction) -> int:
    return int((value * 2 + 1) // 2)


def shared(total: int, weights: list[int]) -> list[int]:
    """Largest remainder, ties to the earlier."""
    if not total:
        return [0] * len(weights)
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    parts = [int(e) for e in exact]
    for at in sorted(range(len(exact)), key=lambda i: parts[i] - exact[i])[:total - sum(parts)]:
        parts[at] += 1
    return parts


@dataclass
class Share:
    """A village's part of a lot."""

    lot: int
    origin: int
    village: int
    own_base: bool
    price: int
    grams: int
    harvested: int
    eaten: int = 0

    def earned(self) -> int:
        return half_up(Fraction(self.price * (self.eaten * self.harvested // self.grams), 1000))


@dataclass
class Part:
    """What of an accepted line one village grew."""

    share: Share
    order: dict[str, Any]
    line: dict[str, Any]
    grams: int
    fen: int
    income: dict[str, int]
    counted: bool
    back_grams: int = 0
    back_fen: int = 0
    money: int = 0

    @property
    def open(self) -> int:
        return max(0, self.fen - self.back_fen - self.money)

    @property
    def over(self) -> int:
        return max(0, self.money - (self.fen - self.back_fen))


@dataclass
class Account:
    """What is being added up."""

    months: dict[tuple[int, str], dict[str, int]] = field(
        default_factory=lambda: defaultdict(lambda: dict.fromkeys(MONEY, 0)))
    things: dict[tuple[int, str, str], set[Any]] = field(default_factory=lambda: defaultdict(set))
    unpaid: dict[tuple[int, int, str], int] = field(default_factory=lambda: defaultdict(int))


class Replay:
    """Reads every document once and walks through them."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[int, dict[str, Any]]] = {}
        names = ("lot", "lot_contribution", "lot_input", "lot_share", "order", "order_line", "shipment_line",
                 "acceptance", "acceptance_line", "acceptance_part", "goods_return", "return_line", "payment_claim",
                 "claim_part", "refund", "income_declaration", "payout", "payout_line", "collective_agreement",
                 "journal_entry", "household", "product", "lot_split")
        metadata = MetaData()
        for name in names:
            table = Table(name, metadata, autoload_with=db.session().connection())
            rows = db.session().execute(select(table).order_by(table.c.id)).mappings()
            self.tables[name] = {row["id"]: dict(row) for row in rows}
        self.account = Account()
        self.shares: dict[int, list[Share]] = {}
        self.parts: dict[int, list[Part]] = defaultdict(list)  # by order
        self.ahead: dict[int, int] = defaultdict(int)
        self.back_milli: dict[int, int] = defaultdict(int)
        self.posted: dict[int, list[tuple[Share, int]]] = defaultdict(list)  # farm gate earned, by co-operative
        self.taken: dict[int, list[tuple[Share, dict[int | None, int]]]] = defaultdict(list)  # taken back, from whom
        self.handed: dict[tuple[int, int], dict[int | None, int]] = defaultdict(lambda: defaultdict(int))
        for lot in self.tables["lot"].values():
            self.shares[lot["id"]] = self.made_of(lot)

    def run(self) -> Account:
        does = {"order.accepted": self.accepted, "payment.received": self.received, "order.returned": self.returned,
                "payment.refunded": self.refunded, "income.confirmed": self.confirmed, "income.cleared": self.cleared,
                "payout.made": self.paid_out, "lot.split": self.named}
        self.seen: dict[str, set[int]] = defaultdict(set)
        for entry in self.tables["journal_entry"].values():
            if entry["action"] in does:
                does[entry["action"]](int(entry["thing_id"]), entry["details"])
        return self.account

    def of(self, name: str, column: str, value: Any) -> list[dict[str, Any]]:
        index = self.__dict__.setdefault("_index", {})
        if (name, column) not in index:
            index[name, column] = defaultdict(list)
            for row in self.tables[name].values():
                index[name, column][row[column]].append(row)
        return list(index[name, column][value])

    # ---- lots ----------------------------------------------------------------------------------------------------

    def made_of(self, lot: dict[str, Any]) -> list[Share]:
        """By village and own base of a harvest; of a processed lot by the harvests inside it."""
        merged: dict[tuple[int, int, bool, int], int] = defaultdict(int)
        if lot["kind"] == "harvest":
            for gift in self.of("lot_contribution", "lot_id", lot["id"]):
                base = gift["household_id"] is None and not gift["unsplit"]
                price = 0 if base else lot["farm_gate_fen_per_kg"]
                merged[lot["id"], gift["village_id"], base, price] += gift["grams"]
        for used in sorted(self.of("lot_input", "lot_id", lot["id"]), key=lambda row: row["input_lot_id"]):
            inner = self.shares[used["input_lot_id"]]
            for share, grams in zip(inner, shared(used["grams"], [s.grams for s in inner]), strict=True):
                key = (share.origin, share.village, share.own_base, share.price)
                merged[key] += grams * share.harvested // share.grams
        keys = [key for key in sorted(merged) if merged[key]]
        weights = shared(lot["total_grams"], [merged[key] for key in keys])
        return [Share(lot["id"], origin, village, base, price, grams, merged[origin, village, base, price])
                for (origin, village, base, price), grams in zip(keys, weights, strict=True) if grams]

    # ---- goods ---------------------------------------------------------------------------------------------------

    def accepted(self, order_id: int, _details: Any) -> None:
        order = self.tables["order"][order_id]
        acceptance = self.of("acceptance", "order_id", order_id)[0]
        month = month_of(acceptance["business_date"])
        taken = sorted(self.of("acceptance_line", "acceptance_id", acceptance["id"]),
                       key=lambda row: row["order_line_id"])
        for row in taken:
            line = self.tables["order_line"][row["order_line_id"]]
            fen = half_up(Fraction(row["price_fen"] * row["accepted_milli"], 1000))
            for part in self.split(order, line, row["accepted_grams"], fen, acceptance["business_date"]):
                self.parts[order_id].append(part)
                if part.fen:
                    self.add(part.share.village, month, accepted=part.fen, grams=part.grams,
                             certified=part.fen if line["certified"] else 0)
                    for kind, thing in (("order", order["number"]), ("product", line["product_id"])):
                        self.account.things[part.share.village, month, kind].add(thing)
                if part.counted:
                    self.earn(part, month)
        self.lay(order_id, self.ahead.pop(order_id, 0), month)

    def split(self, order: dict[str, Any], line: dict[str, Any], grams: int, fen: int, day: date) -> list[Part]:
        """First packed, first eaten; what is short or over falls on the last lot, or on the one the receiver named."""
        told = self.of("acceptance_line", "order_line_id", line["id"])[0]["short_shipment_line_id"]
        packed = sorted(self.of("shipment_line", "order_line_id", line["id"]),
                        key=lambda box: (box["id"] == told, box["id"]))
        weighed: list[tuple[Share, int]] = []
        left = grams
        for number, box in enumerate(packed):
            eaten = left if number == len(packed) - 1 else min(left, box["packed_grams"])
            left -= eaten
            inner = self.shares[box["lot_id"]]
            weighed += [(s, g) for s, g in zip(inner, shared(eaten, [s.grams for s in inner]), strict=True) if g]
        parts = []
        for (share, eaten), amount in zip(weighed, shared(fen, [g for _s, g in weighed]) if weighed else [],
                                          strict=True):
            before = share.earned()
            share.eaten += eaten
            points = self.points(order["supplier_id"], share.village, day)
            income = {"farm_gate": share.earned() - before, "collective": half_up(Fraction(amount * points, 10_000))}
            parts.append(Part(share, order, line, eaten, amount, income, sum(income.values()) <= amount))
        return parts

    def points(self, supplier: int, village: int, day: date) -> int:
        return next((row["basis_points"] for row in reversed(list(self.tables["collective_agreement"].values()))
                     if (row["supplier_id"], row["village_id"]) == (supplier, village) and row["valid_from"] <= day
                     and (row["valid_to"] is None or row["valid_to"] > day)), 0)

    def earn(self, part: Part, month: str, income: dict[str, int] | None = None) -> None:
        part.counted = True
        village = part.share.village
        counted = part.income if income is None else income
        for kind, fen in counted.items():
            self.add(village, month, **{kind: fen})
            self.account.unpaid[part.order["supplier_id"], village, kind] += fen
        self.posted[part.order["supplier_id"]].append((part.share, counted["farm_gate"]))
        if counted["farm_gate"]:
            origins = {s.origin for s in self.shares[part.share.lot] if s.village == village and not s.own_base}
            named = {
                gift["household_id"] for origin in origins for gift in self.of("lot_contribution", "lot_id", origin)
                if gift["village_id"] == village and gift["household_id"] is not None}
            if named:  # their names may still be in the notebook
                self.account.things[village, month, "household"] |= named

    def cleared(self, part_id: int, _details: Any) -> None:
        row = self.tables["acceptance_part"][part_id]
        line = self.tables["acceptance_line"][row["acceptance_line_id"]]["order_line_id"]
        share = self.tables["lot_share"][row["lot_share_id"]]
        order = self.tables["order_line"][line]["order_id"]
        found = [p for p in self.parts[order] if p.line["id"] == line and not p.counted
                 and (p.share.lot, p.share.origin, p.share.village, p.share.own_base)
                 == (row["lot_id"], share["origin_lot_id"], row["village_id"], share["own_base"])]
        assert len(found) == 1
        part = found[0]
        self.earn(part, month_of(row["cleared_on"]),
                  {kind: fen - fen * part.back_grams // part.grams for kind, fen in part.income.items()})

    def returned(self, order_id: int, details: Any) -> None:
        note = next(n for n in self.of("goods_return", "order_id", order_id) if n["id"] not in self.seen["return"])
        self.seen["return"].add(note["id"])
        month = month_of(note["business_date"])
        for line_id, milli in details["lines"]:
            self.return_line(order_id, line_id, milli, month)
        parts = self.parts[order_id]
        moved = min(sum(p.over for p in parts), sum(p.open for p in parts))
        if moved:
            taken, given = shared(moved, [p.over for p in parts]), shared(moved, [p.open for p in parts])
            for part, less, more in zip(parts, taken, given, strict=True):
                self.pay(part, more - less, month)

    def return_line(self, order_id: int, line_id: int, milli: int, month: str) -> None:
        row = self.of("acceptance_line", "order_line_id", line_id)[0]
        parts = [p for p in self.parts[order_id] if p.line["id"] == line_id]
        before, after = self.back_milli[line_id], self.back_milli[line_id] + milli
        self.back_milli[line_id] = after
        grams = row["accepted_grams"] * after // row["accepted_milli"] - sum(p.back_grams for p in parts)
        fen = (half_up(Fraction(row["price_fen"] * after, 1000)) - half_up(Fraction(row["price_fen"] * before, 1000)))
        for part, less_grams, less_fen in zip(parts, shared(grams, [p.grams - p.back_grams for p in parts]),
                                              shared(fen, [p.fen - p.back_fen for p in parts]), strict=True):
            for kind, income in part.income.items():
                due = self.account.unpaid
                key = (part.order["supplier_id"], part.share.village, kind)
                back = (income * (part.back_grams + less_grams) // part.grams
                        - income * part.back_grams // part.grams) if part.counted else 0
                taken = self.take_from_growers(part, back) if kind == "farm_gate" else min(back, max(0, due[key]))
                due[key] -= taken
                self.add(part.share.village, month, **{kind: -taken})
            part.back_grams += less_grams
            part.back_fen += less_fen
            self.add(part.share.village, month, returned=less_fen,
                     certified=-less_fen if part.line["certified"] else 0)

    # ---- whose it is ---------------------------------------------------------------------------------------------

    def take_from_growers(self, part: Part, back: int) -> int:
        """Each grower gives back its part of the income, but nothing that it holds already."""
        weights = self.weights(part.share)
        if not back or not weights:
            return 0
        supplier = part.order["supplier_id"]
        unpaid = self.unpaid_of(supplier, part.share.village)
        shares = {household: min(fen, max(0, unpaid[household]))
                  for household, fen in zip(weights, shared(back, list(weights.values())), strict=True)}
        self.taken[supplier].append((part.share, {household: fen for household, fen in shares.items() if fen}))
        return sum(shares.values())

    def weights(self, share: Share) -> dict[int | None, int]:
        """Grams by household, as far as names have followed by now; None for the rest."""
        found: dict[int | None, int] = defaultdict(int)
        for gift in self.of("lot_contribution", "lot_id", share.origin):
            if gift["village_id"] == share.village and not share.own_base:
                in_notebook = gift["unsplit"] or (share.origin not in self.seen["named"] and any(
                    split["village_id"] == share.village for split in self.of("lot_split", "lot_id", share.origin)))
                if gift["household_id"] is not None or gift["unsplit"]:
                    found[None if in_notebook else gift["household_id"]] += gift["grams"]
        return dict(sorted(found.items(), key=lambda pair: (pair[0] is None, pair[0])))

    def named(self, lot_id: int, _details: Any) -> None:
        self.seen["named"].add(lot_id)

    def unpaid_of(self, supplier: int, village: int) -> dict[int | None, int]:
        """What each grower of a village has earned, less what was taken back and what it was handed."""
        sums: dict[int | None, int] = defaultdict(int)
        earned: dict[tuple[int, int, bool, int], tuple[Share, int]] = {}
        for share, fen in self.posted[supplier]:
            if share.village == village:
                key = (share.lot, share.origin, share.own_base, share.price)
                earned[key] = (share, earned.get(key, (share, 0))[1] + fen)
        for share, fen in earned.values():
            weights = self.weights(share) or {None: 1}
            for household, part in zip(weights, shared(fen, list(weights.values())), strict=True):
                sums[household] += part
        for share, told in self.taken[supplier]:
            if share.village == village:
                for household, fen in self.renamed(share, told).items():
                    sums[household] -= fen
        for household, fen in self.handed[supplier, village].items():
            sums[household] -= fen
        return sums

    def renamed(self, share: Share, told: dict[int | None, int]) -> dict[int | None, int]:
        """What was taken of growers without names lies on those whose names have followed."""
        weights = self.weights(share)
        if not told.get(None) or None in weights or not weights:
            return told
        fresh = {household: grams for household, grams in weights.items() if household not in told} or weights
        found: dict[int | None, int] = defaultdict(int, {h: fen for h, fen in told.items() if h is not None})
        for household, fen in zip(fresh, shared(told[None], list(fresh.values())), strict=True):
            found[household] += fen
        return found

    # ---- money ---------------------------------------------------------------------------------------------------

    def received(self, order_id: int, details: Any) -> None:
        claim = self.of("payment_claim", "number", details["claim"])[0]
        fen = next(c["amount_fen"] for c in self.of("claim_part", "claim_id", claim["id"]) if c["order_id"] == order_id)
        self.lay(order_id, fen, month_of(claim["business_date"]))

    def lay(self, order_id: int, fen: int, month: str) -> None:
        parts = self.parts[order_id]
        on_parts = min(fen, sum(p.open for p in parts))
        for part, more in zip(parts, shared(on_parts, [p.open for p in parts]), strict=True):
            self.pay(part, more, month)
        self.ahead[order_id] += fen - on_parts

    def refunded(self, order_id: int, _details: Any) -> None:
        refund = next(r for r in self.of("refund", "order_id", order_id) if r["id"] not in self.seen["refund"])
        self.seen["refund"].add(refund["id"])
        parts = self.parts[order_id]
        from_parts = min(refund["amount_fen"], sum(p.over for p in parts))
        for part, less in zip(parts, shared(from_parts, [p.over for p in parts]), strict=True):
            self.pay(part, -less, month_of(refund["business_date"]))
        self.ahead[order_id] -= refund["amount_fen"] - from_parts

    def pay(self, part: Part, fen: int, month: str) -> None:
        part.money += fen
        self.add(part.share.village, month, received=fen)

    def confirmed(self, declaration_id: int, _details: Any) -> None:
        row = self.tables["income_declaration"][declaration_id]
        month = month_of(row["business_date"])
        self.add(row["village_id"], month, **{row["kind"]: row["amount_fen"]})
        self.account.unpaid[row["supplier_id"], row["village_id"], row["kind"]] += row["amount_fen"]
        self.account.things[row["village_id"], month, "household"].add(row["household_id"])

    def paid_out(self, payout_id: int, _details: Any) -> None:
        row = self.tables["payout"][payout_id]
        fen = sum(line["amount_fen"] for line in self.of("payout_line", "payout_id", payout_id))
        self.add(row["village_id"], month_of(row["business_date"]), paid_out=fen)
        self.account.unpaid[row["supplier_id"], row["village_id"], row["income_kind"]] -= fen
        if row["income_kind"] == "farm_gate":
            for line in self.of("payout_line", "payout_id", payout_id):
                self.handed[row["supplier_id"], row["village_id"]][line["household_id"]] += line["amount_fen"]

    def add(self, village: int, month: str, **amounts: int) -> None:
        for name, fen in amounts.items():
            self.account.months[village, month][name] += fen


def month_of(day: date) -> str:
    return day.isoformat()[:7]
