"""一单一档 of one order: every document with number, date, persons and the hash of its scan, or that it is missing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from market import clock, money
from orders.delivering.reasons import BY_ITSELF
from orders.evidence.facts import Facts
from orders.evidence.incomes import Incomes
from orders.evidence.pieces import Dossier, Missing, Names, Paper, Section, Table
from orders.evidence.subjects import Subject

FOLDER = "orders"
SCHEMES: Mapping[str, str] = {"two_receivers": "双人验收", "reduced": "简化方案"}
OUTCOMES: Mapping[str, str] = {"accepted": "足量", "short": "短少", "over": "超量", "rejected": "拒收"}
EVENTS: Mapping[str, str] = {
    "accepted": "验收", "returned": "退货", "allowance": "减价", "received": "货款到账", "refunded": "退款",
    "attributed": "计入收入", "withdrawn": "收入收回", "paid_out": "已到户", "freight": "运费", "fee": "平台服务费",
}
INCOMES: Mapping[str, str] = {"farm_gate": "收购款", "wage": "务工", "land": "土地流转", "dividend": "分红",
                              "collective": "村集体"}
INVOICES: Mapping[str, str] = {"matched": "已核对", "differs": "金额不符", "accepted": "已接受", "refused": "已退回",
                               "replaced": "已红冲"}
CARD_WAYS: Mapping[str | None, str] = {"card": "银行卡", "alipay": "支付宝", "wechat_pay": "微信支付"}
COUNTS = ("matched", "accepted")  # invoices that count
DONE = ("accepted", "rejected")


def dossier(order: Any, facts: Facts, incomes: Incomes, subject: Subject, named: set[int]) -> Dossier:
    """The dossier of one order; `named` are villages whose scans with names are in the package."""
    names = Names(f"{FOLDER}/{order.number}")
    sections = [_ordered(order, facts), _approved(order, facts, names), _contract(order, facts, names),
                _delivered(order, facts, subject), _accepted(order, facts, names),
                _returned(order, facts, names), _invoiced(order, facts, names), _paid(order, facts, names),
                _booked(order, facts, incomes),
                _handed_on(order, facts, incomes, names, named)]
    return Dossier(order.number, names.folder, sections)


def _ordered(order: Any, facts: Facts) -> Section:
    rows = [(line.product_name, _quantity(line.ordered_milli, line.unit), money.yuan(line.price_fen),
             money.yuan(line.amount_fen)) for line in facts.lines.get(order.id, ())]
    return Section("一、订单", [
        Paper("采购单", order.purchase_number, order.placed_at, f"下单 {facts.person(order.ordered_by)}"),
        Paper("订单", order.number, order.placed_at, note=f"{order.unit_name} → {order.supplier_name}"
              + ("（食堂承包方代下单）" if order.by_contractor else ""))],
        [Table("(1fr, 34mm, 28mm, 32mm)", ("品名", "订购", "单价", "金额（元）"), (1, 2, 3), rows)])


def _approved(order: Any, facts: Facts, names: Names) -> Section:
    papers, missing = [], []
    for step in facts.steps.get(order.purchase_id, ()):
        if step.decision is None:
            missing.append(Missing("approval", order.number, f"第{step.round_no}轮第{step.step_no}步"))
            continue
        who = step.signed_by if step.way == "paper" else facts.person(step.decided_by)
        papers.append(Paper(
            f"第{step.round_no}轮第{step.step_no}步 {'同意' if step.decision == 'approve' else '不同意'}",
            step.content_hash[:16], step.at, f"审批 {who}",
            names.scan(facts.files.get(step.file_id or 0), "02 纸质审批"), "编号为所批内容的哈希"))
    if order.approval == "not_needed":
        papers.append(Paper("审批", note="本金额按本单位规则无须审批"))
    elif order.approval in ("waiting", "declined") and not missing:
        missing.append(Missing("approval", order.number))
    return Section("二、审批", papers, missing=missing)


def _contract(order: Any, facts: Facts, names: Names) -> Section:
    found = facts.contracts.get(order.id, ())
    papers = []
    for row in found:
        for side, file_id in (("采购单位", row.unit_scan_id), ("供应商", row.supplier_scan_id)):
            papers.append(Paper(f"框架合同（{side}签章）", row.number, row.signed_at or row.drafted_at,
                                f"起草 {facts.person(row.drafted_by)}",
                                names.scan(facts.files.get(file_id or 0), f"03 框架合同 {side}")))
    signed = any(row.signed_at is not None for row in found)
    return Section("三、合同", papers, missing=[] if signed else [
        Missing("contract", order.number, found[0].number if found else "")])


def _delivered(order: Any, facts: Facts, subject: Subject) -> Section:
    papers = [Paper("送货单", f"S-{order.number}", row.shipped_at, f"发货 {facts.person(row.shipped_by)}",
                    note=f"车次 {row.run}") for row in facts.shipments.get(order.id, ())]
    missing = [Missing("shipment", order.number)] if order.state in DONE and not papers else []
    rows, elsewhere, without = [], [0, 0], set()
    for part in facts.packed.get(order.id, ()):
        if not part.certificate:
            without.add(part.code)
        if part.village_id is not None and not subject.shown(part.village_id):
            elsewhere[0] += part.grams
            elsewhere[1] += part.amount_fen
            continue
        rows.append((part.product_name, part.code, part.harvested_on.isoformat(),
                     _quantity(part.packed_milli, part.unit), facts.places.get(part.village_id or 0, "—"),
                     _kilograms(part.grams), money.yuan(part.amount_fen) if part.amount_fen is not None else "—",
                     part.certificate or "缺少"))
    if any(elsewhere):
        rows.append(("其他村的部分", "", "", "", "其他村", _kilograms(elsewhere[0]), money.yuan(elsewhere[1]), ""))
    missing += [Missing("certificate", order.number, code) for code in sorted(without)]
    missing += [Missing("held", order.number, code) for code in sorted(
        {part.code for part in facts.packed.get(order.id, ()) if part.income_held and subject.shown(part.village_id)})]
    return Section("四、送货单与批次", papers, [Table(
        "(1fr, 29mm, 19mm, 19mm, 24mm, 17mm, 20mm, 27mm)",
        ("品名", "批次", "采收", "实发", "产地村", "验收kg", "验收元", "合格证"), (3, 5, 6), rows)], missing)


def _accepted(order: Any, facts: Facts, names: Names) -> Section:
    papers = [Paper("验收单", order.number, row.accepted_at,
                    f"{facts.person(row.first_receiver)}、{facts.person(row.second_receiver)}",
                    note=SCHEMES[row.scheme] + (f"；{row.note}" if row.note else ""))
              for row in facts.acceptances.get(order.id, ())]
    missing = [] if papers or order.state == "cancelled" else [Missing("acceptance", order.number)]
    shown = {row.acceptance_line_id for row in facts.photos.get(order.id, ())}
    rows = []
    for line in facts.taken.get(order.id, ()):
        rows.append((line.product_name, _quantity(line.ordered_milli, line.unit),
                     _quantity(line.accepted_milli, line.unit), _kilograms(line.accepted_grams), OUTCOMES[line.outcome],
                     money.yuan(line.price_fen), money.yuan(line.amount_fen), line.reason))
        unusual = line.outcome in ("rejected", "over") or line.price_fen < line.ordered_price_fen or (
            line.outcome == "short" and line.reason)
        if unusual and line.reason not in BY_ITSELF and line.id not in shown:
            missing.append(Missing("photo", order.number, line.product_name))
    papers += [Paper("验收照片", scan=names.scan(facts.files.get(row.file_id), "05 验收照片"))
               for row in facts.photos.get(order.id, ())]
    return Section("五、验收", papers, [Table(
        "(1fr, 22mm, 22mm, 19mm, 15mm, 18mm, 22mm, 28mm)",
        ("品名", "订购", "实收", "过秤kg", "结论", "单价", "金额（元）", "原因"), (1, 2, 3, 5, 6), rows)], missing)


def _returned(order: Any, facts: Facts, names: Names) -> Section:
    papers = [Paper("退货", f"R{row.id}", row.business_date,
                    f"退货 {facts.person(row.returned_by)}，同意 {facts.person(row.agreed_by)}",
                    note=f"{money.yuan(row.amount_fen)} 元，{_kilograms(row.grams)} kg，{row.reason}")
              for row in facts.returns.get(order.id, ())]
    for row in facts.cases.get(order.id, ()):
        papers.append(Paper("售后", row.number, row.business_date, f"提出 {facts.person(row.opened_by)}",
                            names.scan(facts.files.get(row.file_id or 0), "06 售后照片")))
    missing = []
    for row in facts.refunds.get(order.id, ()):
        scan = names.scan(facts.files.get(row.voucher_id or 0), "06 退款凭证")
        papers.append(Paper("退款", row.number, row.paid_on or row.business_date,
                            f"申请 {facts.person(row.made_by)}，确认 {facts.person(row.confirmed_by)}", scan,
                            f"{money.yuan(row.amount_fen)} 元，{'银行' if row.way == 'bank' else '原路退回'}"))
        if row.way == "bank" and scan is None:
            missing.append(Missing("refund", order.number, row.number))
    return Section("六、退货、售后与退款", papers or [Paper("无退货、售后与退款")], missing=missing)


def _invoiced(order: Any, facts: Facts, names: Names) -> Section:
    papers = []
    counted = 0
    for row in facts.invoices.get(order.id, ()):
        papers.append(Paper(
            "发票" if row.number else "开票申请", row.number or row.request, row.issued_on,
            f"开具 {facts.person(row.sent_by)}" if row.number else f"申请 {facts.person(row.asked_by)}",
            names.scan(facts.files.get(row.file_id or 0), f"07 发票 {row.number}"),
            f"本单 {money.yuan(row.of_order_fen)} 元，{INVOICES.get(row.state or '', '尚未开具')}"))
        counted += row.state in COUNTS
    owed = order.accepted_fen > order.returned_fen
    return Section("七、发票", papers, missing=[Missing("invoice", order.number)] if owed and not counted else [])


def _paid(order: Any, facts: Facts, names: Names) -> Section:
    papers, missing = [], []
    for row in facts.claims.get(order.id, ()):
        scan = names.scan(facts.files.get(row.voucher_id or 0), f"08 付款凭证 {row.number}")
        bank = "；银行流水已对上" if row.bank_row else ""
        papers.append(Paper(
            "对公转账" if row.state == "received" else "对公转账（待确认）", row.number, row.paid_on,
            f"登记 {facts.person(row.claimed_by)}，确认 {facts.person(row.answered_by)}", scan,
            f"{money.yuan(row.amount_fen)} 元，付款户名 {row.payer_name}{bank}"))
        if scan is None and not row.bank_row:
            missing.append(Missing("voucher", order.number, row.number))
    papers += [Paper("在线支付", row.charge_id or row.key, row.business_date, f"发起 {facts.person(row.started_by)}",
                     note=f"{money.yuan(row.amount_fen)} 元，{CARD_WAYS.get(row.way, '在线支付')}")
               for row in facts.cards.get(order.id, ())]
    freight = 0 if order.state in ("rejected", "cancelled") else order.freight_fen
    open_fen = (order.accepted_fen - order.returned_fen + freight) - (order.received_fen - order.refunded_fen)
    if open_fen > 0:
        missing.append(Missing("payment", order.number, f"¥{money.yuan(open_fen)}"))
    return Section("八、货款", papers, missing=missing)


def _booked(order: Any, facts: Facts, incomes: Incomes) -> Section:
    rows = [(f"T{row.id}", row.business_date.isoformat(), row.period, EVENTS[row.event]
             + (f"：{INCOMES[row.income_kind]}" if row.income_kind else "") + ("（冲回）" if row.backward else ""),
             facts.places.get(row.village_id or 0, "—"), incomes.code(row.household_id) if row.household_id else "",
             money.yuan(-row.amount_fen if row.backward else row.amount_fen), str(row.block_no), row.digest[:12])
            for row in facts.transfers.get(order.id, ())]
    return Section("九、记账分录", tables=[Table(
        "(17mm, 19mm, 15mm, 1fr, 24mm, 24mm, 22mm, 12mm, 24mm)",
        ("分录", "日期", "计入月份", "事项", "村", "户", "金额（元）", "区块", "摘要前12位"), (6,), rows)])


def _handed_on(order: Any, facts: Facts, incomes: Incomes, names: Names, named: set[int]) -> Section:
    section = Section("十、到户")
    slips = facts.slips.get(order.id, ())
    for slip in slips:
        if slip.village_id not in {village for village, _household in incomes.of_order(order.number)}:
            continue
        code = incomes.code(slip.household_id)
        section.papers.append(Paper(
            f"过秤付款单 {code}", f"{slip.code}-{slip.id}", slip.paid_on,
            f"登记 {facts.person(slip.marked_by)}，村里确认 {facts.person(slip.confirmed_by)}",
            names.scan(facts.files.get(slip.proof_id), f"10 签收单 {code}", withheld=slip.village_id not in named),
            f"本单 {money.yuan(slip.amount_fen)} 元"))
    section.tables.append(Table(
        "(1fr, 30mm, 26mm, 26mm, 26mm, 44mm)",
        ("户", "村", "本单收入", "退货收回", "过秤已付", "之后的发放单"), (2, 3, 4),
        list(_households(order, facts, incomes, section))))
    return section


def _households(order: Any, facts: Facts, incomes: Incomes, section: Section) -> Iterator[Sequence[str]]:
    """A row for each household behind the order; what no document shows as handed on goes to the missing papers."""
    accepted = min((row.business_date for row in facts.acceptances.get(order.id, ())), default=order.business_date)
    for (village, household), part in incomes.of_order(order.number).items():
        later = [row for row in facts.payouts.get((order.supplier_id, village, household), ())
                 if row.paid_on >= accepted and row.income_kind == "farm_gate"] if household is not None else []
        code = incomes.code(household)
        left = part.earned_fen - part.taken_fen - part.paid_fen
        if household is None and left:
            section.missing.append(Missing("names", order.number, money.yuan(left)))
        elif left > 0 and not later:
            section.missing.append(Missing("payout", order.number, f"{code} ¥{money.yuan(left)}"))
        yield (code, facts.places.get(village, ""), money.yuan(part.earned_fen), money.yuan(part.taken_fen),
               money.yuan(part.paid_fen), "、".join(f"{row.number}（{row.paid_on.isoformat()}）" for row in later[:2])
               or ("过秤时已付清" if left <= 0 else "缺少"))
    yield from _collectives(order, facts, section, accepted)


def _collectives(order: Any, facts: Facts, section: Section, accepted: Any) -> Iterator[Sequence[str]]:
    sums: dict[int, list[int]] = {}
    for row in facts.transfers.get(order.id, ()):
        if row.income_kind == "collective" and row.event in ("attributed", "withdrawn"):
            fen = -row.amount_fen if row.backward else row.amount_fen
            sums.setdefault(row.village_id, [0, 0])[row.event == "withdrawn"] += fen
    for village, (earned, taken) in sums.items():
        later = [row for row in facts.payouts.get((order.supplier_id, village, None), ())
                 if row.paid_on >= accepted and row.income_kind == "collective"]
        if earned > taken and not later:
            section.missing.append(Missing("collective", order.number, f"¥{money.yuan(earned - taken)}"))
        yield ("村集体", facts.places.get(village, ""), money.yuan(earned), money.yuan(taken), "—",
               "、".join(row.number for row in later[:2]) or "缺少")


def _quantity(milli: int, unit: str) -> str:
    return f"{money.decimal_text(milli)} {unit}"


def _kilograms(grams: int | None) -> str:
    return "—" if grams is None else money.decimal_text(grams)


def day_text(value: Any) -> str:
    """A day, or a moment as its minute in Shanghai."""
    if value is None:
        return "—"
    return value.astimezone(clock.SHANGHAI).strftime("%Y-%m-%d %H:%M") if hasattr(value, "astimezone") else str(value)
