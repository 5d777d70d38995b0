"""村档案: what belongs to the village and to no single order: payouts, wages and other income declared, linkages."""

from typing import Any

from sqlalchemy import select

from market import clock, db, money
from market.files import StoredFile
from market.linkages import Linkage
from market.parties import Organisation
from market.users import User
from orders.evidence import facts
from orders.evidence.dossiers import INCOMES
from orders.evidence.incomes import Incomes
from orders.evidence.ledger_part import Ledger
from orders.evidence.pieces import Dossier, Missing, Names, Paper, Section, Table
from orders.evidence.subjects import Subject
from orders.models import IncomeDeclaration, Payout, PayoutLine

FOLDER = "village"
FORMS = {"delivery": "交售", "guaranteed_purchase": "保底收购", "seed_supply": "提供种苗", "guidance": "技术指导",
         "employment": "务工", "processing": "加工", "land_rights": "土地流转", "collective_share": "村集体分成",
         "other": "其他"}
LINKS = {"shareholding": "股份合作", "direct_support": "直接帮扶", "commissioned_support": "委托帮扶"}


def dossier(subject: Subject, ledger: Ledger, incomes: Incomes, named: set[int]) -> Dossier:
    """The village's own file, inside the caller's snapshot; a handful of statements."""
    names = Names(FOLDER)
    may = subject.village_id in named
    payouts, declared, ties = _payouts(subject), _declared(subject), _ties(subject)
    users = _users([*payouts, *declared, *ties])
    scans = _files([*payouts, *declared, *ties])
    codes = facts.codes({row.household_id for row in (*payouts, *declared, *ties) if row.household_id is not None})
    number = f"{subject.title.rpartition(' ')[2]} {subject.year}"
    return Dossier(number, FOLDER, [
        _paid_out(payouts, users, scans, codes, names, may),
        _earned_otherwise(declared, users, scans, codes, names, may),
        _tied(ties, users, scans, codes, names, may), _open(incomes)])


def _paid_out(rows: Any, users: Any, scans: Any, codes: Any, names: Names, may: bool) -> Section:
    section = Section("一、发放到户与村集体")
    table = []
    known: set[str] = set()
    for row in rows:
        if row.number not in known:
            known.add(row.number)
            section.papers.append(Paper(
                f"发放单（{INCOMES[row.income_kind]}）", row.number, row.paid_on,
                f"发放 {users.get(row.made_by, '')}，村里确认 {users.get(row.confirmed_by, '')}",
                names.scan(scans.get(row.proof_id), f"发放单 {row.number}", withheld=not may), row.supplier))
        table.append((row.number, "村集体" if row.household_id is None else codes[row.household_id],
                      INCOMES[row.income_kind], money.yuan(row.amount_fen)))
    section.tables.append(Table("(50mm, 1fr, 40mm, 40mm)", ("发放单", "户", "类别", "金额（元）"), (3,), table))
    return section


def _earned_otherwise(rows: Any, users: Any, scans: Any, codes: Any, names: Names, may: bool) -> Section:
    section = Section("二、务工、土地流转、分红与村集体其他收入的申报")
    for row in rows:
        who = "村集体" if row.household_id is None else codes[row.household_id]
        section.papers.append(Paper(
            f"{INCOMES[row.kind]} {who}", f"D{row.id}", row.business_date,
            f"申报 {users.get(row.declared_by, '')}，村里确认 {users.get(row.confirmed_by, '')}",
            names.scan(scans.get(row.proof_id), f"{INCOMES[row.kind]} {row.month} {who}", withheld=not may),
            f"{row.month}，{money.yuan(row.amount_fen)} 元，{row.supplier}"))
    return section


def _tied(rows: Any, users: Any, scans: Any, codes: Any, names: Names, may: bool) -> Section:
    section = Section("三、利益联结")
    for row in rows:
        who = "全村" if row.household_id is None else codes[row.household_id]
        section.papers.append(Paper(
            f"{LINKS[row.kind]}·{FORMS[row.form]}", f"L{row.id}", row.since,
            f"登记 {users.get(row.entered_by, '')}，村里确认 {users.get(row.confirmed_by, '')}",
            names.scan(scans.get(row.evidence_id), f"利益联结 {who}", withheld=not may), f"{who}，{row.supplier}"))
    return section


def _open(incomes: Incomes) -> Section:
    """What households earned beside farm-gate income and no document shows as paid."""
    section = Section("四、尚未到户（收购款以外）")
    for (_village, household, kind), part in sorted(incomes.by_kind.items(), key=lambda pair: str(pair[0])):
        left = part.earned_fen - part.taken_fen - part.paid_fen
        if kind != "farm_gate" and left > 0:
            section.missing.append(Missing(
                "payout", "", f"{incomes.code(household)} {INCOMES[kind]} ¥{money.yuan(left)}"))
    return section


def _payouts(subject: Subject) -> Any:
    return db.session().execute(
        select(Payout.number, Payout.income_kind, Payout.paid_on, Payout.proof_id, Payout.made_by, Payout.confirmed_by,
               PayoutLine.household_id, PayoutLine.amount_fen, Organisation.name.label("supplier"))
        .join(PayoutLine, PayoutLine.payout_id == Payout.id).join(Organisation, Organisation.id == Payout.supplier_id)
        .where(Payout.village_id == subject.village_id, Payout.business_date.between(*_days(subject)))
        .order_by(Payout.id, PayoutLine.id)).all()


def _declared(subject: Subject) -> Any:
    return db.session().execute(
        select(db.table(IncomeDeclaration), Organisation.name.label("supplier"))
        .join(Organisation, Organisation.id == IncomeDeclaration.supplier_id)
        .where(IncomeDeclaration.village_id == subject.village_id, IncomeDeclaration.confirmed_at.is_not(None),
               IncomeDeclaration.business_date.between(*_days(subject))).order_by(IncomeDeclaration.id)).all()


def _ties(subject: Subject) -> Any:
    first, last = _days(subject)
    return db.session().execute(
        select(db.table(Linkage), Organisation.name.label("supplier"))
        .join(Organisation, Organisation.id == Linkage.supplier_id)
        .where(Linkage.village_id == subject.village_id, Linkage.confirmed_at.is_not(None), Linkage.since <= last,
               Linkage.until.is_(None) | (Linkage.until > first)).order_by(Linkage.id)).all()


def _days(subject: Subject) -> tuple[Any, Any]:
    first, last = subject.months
    return clock.first_day(first), clock.last_day(last)


def _users(rows: Any) -> dict[int, str]:
    ids = {getattr(row, name, None) for row in rows for name in (
        "made_by", "confirmed_by", "declared_by", "entered_by")} - {None}
    return {row.id: row.name for row in db.session().execute(select(User.id, User.name).where(User.id.in_(ids)))}


def _files(rows: Any) -> dict[int, Any]:
    ids = {getattr(row, name, None) for row in rows for name in ("proof_id", "evidence_id")} - {None}
    return {row.id: row for row in db.session().execute(select(db.table(StoredFile)).where(StoredFile.id.in_(ids)))}
