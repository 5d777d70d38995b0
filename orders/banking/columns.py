"""Which heading of a bank's table means what: guessed from the names banks use, confirmed once by a person."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence

from market.errors import N_, InvalidInput, MarketError
from market.schemas import as_written
from orders.banking import cells

HEAD_LINES = 30  # lines in which the headings must come
FEWEST = 3  # headings of a table
MOST_HEADING = 60  # characters of a heading

# our columns, in the order in which a person is asked about them
LABELS: Mapping[str, str] = {
    "day": N_("Day"), "income": N_("Money in"), "expense": N_("Money out"), "amount": N_("Amount (in and out)"),
    "mark": N_("Mark of in or out (debit or credit)"), "payer_name": N_("Payer"),
    "payer_account": N_("Payer's account"), "summary": N_("Remark"), "purpose": N_("Purpose of the payment"),
    "postscript": N_("Postscript"), "serial": N_("Serial number"),
}
# names in use, the likeliest first
NAMES: Mapping[str, Sequence[str]] = {
    "day": ("交易日期", "入账日期", "记账日期", "交易日", "日期", "交易时间", "入账时间", "记账时间", "交易日期时间",
            "到账时间", "date", "day"),
    "income": ("贷方发生额", "收入金额", "贷方金额", "收入", "转入金额", "存入金额", "收入发生额", "贷方",
               "贷方交易金额", "收款金额", "credit", "money in"),
    "expense": ("借方发生额", "支出金额", "借方金额", "支出", "转出金额", "支取金额", "支出发生额", "借方",
                "借方交易金额", "付款金额", "debit", "money out"),
    "amount": ("交易金额", "发生额", "金额", "交易发生额", "amount"),
    "mark": ("借贷标志", "借/贷", "借贷", "借贷方向", "收支", "收支标志", "收/支", "借贷标识", "收支类型",
             "来往账标识", "debit/credit"),
    "payer_name": ("对方户名", "对方名称", "对方单位名称", "对方单位", "对方账户名称", "对方账户名", "付款人名称",
                   "付款人户名", "付款方户名", "付款方名称", "对方姓名", "交易对方", "对手户名", "payer"),
    "payer_account": ("对方账号", "对方帐号", "对方账户", "付款人账号", "付款方账号", "对方卡号", "对手账号",
                      "payer's account"),
    "summary": ("摘要", "交易摘要", "摘要说明", "备注", "附加信息", "remark", "summary"),
    "purpose": ("用途", "交易用途", "资金用途", "purpose"),
    "postscript": ("附言", "交易附言", "留言", "个性化信息", "客户附言", "postscript"),
    "serial": ("流水号", "交易流水号", "交易流水", "账户明细编号-交易流水号", "凭证号", "银行流水号", "核心流水号",
               "交易序号", "serial", "serial number"),
}


class HeadingsNotFound(MarketError):
    """Nothing in the first lines looks like headings."""

    status = 422
    code = "bank_headings"
    text = N_("The headings of the table were not found in its first %(lines)s lines. Please send the file as the bank "
              "gave it.")


def normal(cell: str) -> str:
    """A heading as it is compared: one script, no spaces, no unit or English beside it.

    >>> normal(" 贷方发生额（收入） "), normal("[交易时间]"), normal("交易日期[ Date ]"), normal("金 额(元)")
    ('贷方发生额', '交易时间', '交易日期', '金额')
    """
    plain = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", cell)).strip().lower()
    bare = re.sub(r"[\[(【].*?[\])】]", "", plain).strip() or plain.strip("[](){}【】 ")
    return bare.rstrip(":").replace(" ", "" if re.search(r"[一-鿿]", bare) else " ")


def named(row: Sequence[str]) -> list[str]:
    """Headings as a person picks from them: each once, empty ones stay empty.

    >>> named(["日期", "金额", "", "金额"])
    ['日期', '金额', '', '金额 (2)']
    """
    seen: dict[str, int] = {}
    found = []
    for cell in row:
        heading = as_written(cells.text(cell))[:MOST_HEADING].strip()  # as the form brings it back
        seen[heading] = seen.get(heading, 0) + 1
        found.append(f"{heading} ({seen[heading]})" if heading and seen[heading] > 1 else heading)
    return found


def signature(headings: Sequence[str]) -> str:
    """What tells one bank's table from another: its headings in their order.

    >>> signature(["交易日期", "金额(元)"]) == signature([" 交易日期", "金额（元）", ""])
    True
    """
    names = [normal(heading) for heading in headings]
    while names and not names[-1]:
        names.pop()
    return hashlib.sha256(json.dumps(names, ensure_ascii=False).encode()).hexdigest()


def guess(headings: Sequence[str]) -> dict[str, str]:
    """Our columns and the headings that are likely theirs, no heading twice.

    >>> guess(["交易日期", "借方发生额", "贷方发生额(收入)", "对方户名"])
    {'day': '交易日期', 'income': '贷方发生额(收入)', 'expense': '借方发生额', 'payer_name': '对方户名'}
    """
    free = {heading: normal(heading) for heading in headings if heading}
    found: dict[str, str] = {}
    for ours, names in NAMES.items():
        if ours == "amount" and "income" in found:
            continue
        hit = next((heading for name in names for heading, bare in free.items() if bare == name), None)
        if hit is not None:
            found[ours] = hit
            del free[hit]
    if "income" in found:
        found.pop("mark", None)
    return found


def place(rows: Sequence[tuple[int, Sequence[str]]], known: Collection[str]) -> int:
    """Where among the first lines the headings stand: as remembered, as guessed, or the fullest line without figures.

    Raises HeadingsNotFound.
    """
    first = [named(row) for _number, row in rows[:HEAD_LINES]]
    for at, headings in enumerate(first):
        if signature(headings) in known:
            return at
    guesses = [guess(headings) for headings in first]
    scores = [len(found) if "day" in found and {"income", "amount"} & set(found) else 0 for found in guesses]
    best = max(scores, default=0)
    if best:
        return scores.index(best)
    words = [len([heading for heading in headings if heading and not re.search(r"[0-9]", heading)])
             for headings in first]
    most = max(words, default=0)
    if most < FEWEST:
        raise HeadingsNotFound(lines=HEAD_LINES)
    return words.index(most)


def check(columns: Mapping[str, str], headings: Collection[str]) -> dict[str, str]:
    """A person's choice without what was left empty. Raises InvalidInput at its fields."""
    chosen = {ours: heading for ours, heading in columns.items() if heading}
    wrong: dict[str, list[str | MarketError]] = {
        ours: [N_("Please choose one of the list.")] for ours, heading in chosen.items() if heading not in headings}
    if "day" not in chosen:
        wrong["day"] = [N_("Please say which column holds the day.")]
    if "income" not in chosen and "amount" not in chosen:
        wrong["income"] = [N_("Please say which column holds the money that came in.")]
    if "income" in chosen and "amount" in chosen:
        wrong["amount"] = [N_("Either a column of money in, or one column of amounts; not both.")]
    twice = [ours for ours, heading in chosen.items() if list(chosen.values()).count(heading) > 1]
    for ours in twice[1:]:
        wrong.setdefault(ours, [N_("This column is already used for something else.")])
    if wrong:
        raise InvalidInput(wrong)
    return chosen
