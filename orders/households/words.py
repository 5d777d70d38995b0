"""Words of cards and lists."""

from collections.abc import Mapping

from catalog.entry.labels import LINKAGES
from market.errors import N_
from market.words import INCOME_KINDS

FORMS: Mapping[str, str] = {
    "delivery": N_("Goods delivered, nothing agreed in writing"), "collective_share": INCOME_KINDS["collective"],
    "guaranteed_purchase": LINKAGES["buy_back"],
    **{name: LINKAGES[name] for name in ("seed_supply", "guidance", "employment", "processing", "other")},
    "land_rights": LINKAGES["land_lease"],
}
KINDS: Mapping[str, str] = {name: LINKAGES[name] for name in ("shareholding", "direct_support", "commissioned_support")}
PROOFS: Mapping[str, str] = {
    "order": N_("Acceptance of order %(number)s"), "return": N_("Return of order %(number)s"),
    "declaration": N_("Declaration %(number)s"), "payout": N_("Payout %(number)s"),
    "correction": N_("Correction %(number)s"), "weigh_in": N_("Paid at weigh-in, lot %(number)s"),
}
CHANGE_STATES: Mapping[str, tuple[str, str]] = {  # words and tone
    "set": (N_("Entered, no change"), "good"), "waiting": (N_("Waits for a second person"), "waiting"),
    "confirmed": (N_("Confirmed"), "good"), "refused": (N_("Turned down"), "wrong"),
}
PURPOSES = (N_("Visit and signing of the card"), N_("Check of the register"), N_("Question of the household"),
            N_("Audit"))
SIGNERS = (N_("Head of the household"), N_("Helper"), N_("First secretary"), N_("Village committee"))
