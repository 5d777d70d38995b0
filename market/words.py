"""Labels of the trade's fixed words, and the words that change with the year reported."""

from collections.abc import Mapping

from market.errors import N_

UNIT_TYPES: Mapping[str, str] = {
    "agency": N_("Government agency"), "school": N_("School"), "hospital": N_("Hospital"),
    "enterprise": N_("Enterprise"), "community": N_("Community"),
}
FUND_SOURCES: Mapping[str, str] = {"canteen": N_("Canteen"), "union": N_("Union"), "staff": N_("Staff")}
METHODS: Mapping[str, str] = {
    "direct_online": N_("Direct online"), "assisted": N_("Assisted sale"), "fair": N_("Fair"),
    "pledge_purchase": N_("Purchase pledge"),
}
WINDOWS: Mapping[str, str] = {
    "dawn": N_("6:00–7:30"), "morning": N_("8:00–9:30"), "noon": N_("11:00–12:30"), "afternoon": N_("14:00–16:00"),
}
ORDER_STATES: Mapping[str, str] = {
    "waiting": N_("To approve"), "placed": N_("To ship"), "shipped": N_("On the way"), "accepted": N_("Accepted"),
    "rejected": N_("Rejected"), "cancelled": N_("Cancelled"),
}
PAYMENT_STATES: Mapping[str, str] = {
    "unpaid": N_("Unpaid"), "claimed": N_("Payment claimed"), "part": N_("Partly paid"), "paid": N_("Paid"),
    "over": N_("To refund"),
}
PAYMENT_TERMS: Mapping[str, str] = {
    "goods_first": N_("Goods first, then payment"), "pay_first": N_("Payment first, then goods"),
}
TABS: Mapping[str, str] = {
    "all": N_("All"), "to_approve": N_("To approve"), "to_ship": N_("To ship"), "to_receive": N_("To receive"),
    "to_pay": N_("To pay"), "to_confirm": N_("To confirm"), "to_rate": N_("To rate"),
    "after_sale": N_("After-sale"), "to_refund": N_("To refund"), "done": N_("Done"),
    "closed": N_("Cancelled or rejected"),
}
OUTCOMES: Mapping[str, str] = {
    "accepted": N_("In full"), "short": N_("Short"), "over": N_("Over"), "rejected": N_("Rejected"),
}
INCOME_KINDS: Mapping[str, str] = {
    "farm_gate": N_("Farm-gate payments"), "wage": N_("Wages"), "land": N_("Land rent"), "dividend": N_("Dividends"),
    "collective": N_("Collective share"),
}
HOUSEHOLD_CLASSES: Mapping[str, str] = {
    "stable": N_("Lifted, stable"), "consolidate": N_("Lifted, to be consolidated"), "safety_net": N_("Safety net"),
    "not_lifted": N_("Not yet lifted"), "unstable": N_("Watched: unstable"), "marginal": N_("Watched: marginal"),
    "sudden_hardship": N_("Watched: sudden hardship"),
}
ROLES: Mapping[str, str] = {
    "requester": N_("Orders goods"), "approver": N_("Approves"), "leader": N_("Decides large purchases"),
    "contractor": N_("Runs the canteen for the unit"), "receiver": N_("Receives goods"),
    "finance": N_("Pays"), "manager": N_("Manager"), "clerk": N_("Clerk"), "accountant": N_("Accountant"),
    "applicant": N_("Applicant"),
    "village_officer": N_("Village officer"),
    "township_officer": N_("Township officer"), "official": N_("Official"), "auditor": N_("Auditor"),
    "operator_system": N_("System operator"), "operator_security": N_("Security operator"),
    "operator_audit": N_("Audit operator"),
}


# the campaign against poverty ended with 2020; the same things have had other names since (贫困/扶贫, 脱贫/帮扶)
WORDS_CHANGED = 2021


def by_year(year: int, before: str, since: str) -> str:
    """Which of two words a report about a year uses: the year reported decides, never the day on which it is made."""
    return before if year < WORDS_CHANGED else since


def designation_label(year: int) -> str:
    """贫困村 before 2021, 脱贫村 from 2021 on."""
    return by_year(year, N_("Poor village"), N_("Village lifted from poverty"))


def registered_label(year: int) -> str:
    """What a household of the register is called in a year: 建档立卡户, from 2021 on 脱贫户或监测对象."""
    return by_year(year, N_("Registered household"), N_("Registered or monitored household"))


def purchase_detail_label(year: int) -> str:
    """消费扶贫明细 before 2021, 消费帮扶明细 from 2021 on."""
    return by_year(year, N_("Purchase detail, poverty alleviation"), N_("Purchase detail, rural support"))


def certificate_label(year: int) -> str:
    """The number of certified goods: 扶贫产品认定号 before 2021, 帮扶产品认定号 from 2021 on."""
    return by_year(year, N_("Poverty alleviation goods no."), N_("Rural support goods no."))
