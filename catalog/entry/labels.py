"""The words of entry."""

from collections.abc import Mapping

from market.errors import N_

SUPPLIER_TYPES: Mapping[str, str] = {
    "cooperative": N_("Co-operative"), "family_farm": N_("Family farm"), "enterprise": N_("Producing enterprise"),
    "trader": N_("Trading firm"),
}
STATES: Mapping[str, str] = {
    "draft": N_("Not yet sent"), "submitted": N_("Being examined"), "returned": N_("Sent back to you"),
    "withdrawn": N_("Drawn back by the applicant"), "refused": N_("Turned down"), "admitted": N_("Admitted"),
}
TONES: Mapping[str, str] = {
    "draft": "plain", "submitted": "waiting", "returned": "wrong", "withdrawn": "quiet", "refused": "wrong",
    "admitted": "good",
}
STEPS: Mapping[str, str] = {
    "township": N_("Township check"), "agriculture": N_("County agriculture office"),
    "revitalisation": N_("County revitalisation office"), "confirmation": N_("County confirmation"),
    "platform": N_("Platform approval"),
}
# what an office vouches for when it lets an application pass
VOUCHES: Mapping[str, str] = {
    "township": N_("That it exists, where it says, and that the goods grow in these villages."),
    "agriculture": N_("How it works, how much it can deliver, and the quality of its goods."),
    "revitalisation": N_("How many households gain by it, and how."),
    "confirmation": N_("That the proof is real and still holds."),
    "platform": N_("That papers, code and bank account belong together."),
}
DECISIONS: Mapping[str, str] = {
    "passed": N_("Vouched for"), "returned": N_("Given back"), "refused": N_("Turned down"),
    "set_aside": N_("Set aside"),
}
DECISION_TONES: Mapping[str, str] = {"passed": "good", "returned": "waiting", "refused": "wrong", "set_aside": "quiet"}
LINKAGES: Mapping[str, str] = {
    "shareholding": N_("Households hold shares"), "direct_support": N_("Direct support of households"),
    "commissioned_support": N_("Support on commission"), "seed_supply": N_("Common seed or young stock"),
    "guidance": N_("Technical guidance"), "buy_back": N_("Guaranteed or premium buying"),
    "employment": N_("Work and wages"), "processing": N_("Processing for households"),
    "land_lease": N_("Land or forest leased or brought in as shares"), "other": N_("Other help"),
}
PAPERS: Mapping[str, str] = {
    "licence": N_("Business licence"), "capacity": N_("Photos of fields, store or plant"),
    "product_certificate": N_("Certificate or test report of goods"), "other": N_("Another paper"),
    "proof": N_("Proof of the 832 platform or of a certified product"),
    "commission_letter": N_("The producer's commission letter"),
}
PROOFS: Mapping[str, str] = {
    "platform_832": N_("Already a supplier of the 832 platform"),
    "certified": N_("Has a certified product (green, organic, geographical indication, relief product)"),
}
SECTIONS: Mapping[str, str] = {
    "who": N_("Who you are"), "village": N_("Home village"), "contact": N_("Contact and bank account"),
    "producer": N_("Whose goods you sell"), "goods": N_("What you sell"), "proof": N_("Already examined elsewhere?"),
    "capacity": N_("What you can deliver"), "linkages": N_("How households gain"), "papers": N_("Papers handed in"),
}
STATUSES: Mapping[str, str] = {
    "active": N_("Sells"), "suspended": N_("Suspended"), "left": N_("Has left"), "applying": N_("Applying"),
}
STATUS_TONES: Mapping[str, str] = {"active": "good", "suspended": "wrong", "left": "quiet", "applying": "waiting"}
ACTS: Mapping[str, str] = {
    "application.begun": N_("Begun"), "application.submitted": N_("Handed in"),
    "application.withdrawn": N_("Drawn back by the applicant"), "application.passed": N_("Vouched for"),
    "application.returned": N_("Given back"), "application.refused": N_("Turned down"),
    "application.admitted": N_("Admitted"),
}
