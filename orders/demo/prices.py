"""The demo world's prices: what markets noted in the last weeks, listings that wait, prices that stand out."""

from datetime import date, timedelta
from random import Random
from typing import Any

from sqlalchemy import select

from catalog import products
from catalog.models import Category
from catalog.review import decisions, listing, outliers, rules
from catalog.review.checks import Incoming, Voucher
from catalog.review.models import PriceOutlier, ReferencePrice
from market import clock, db, money
from market.places import Division
from orders.demo import shelves
from orders.demo.fact_rows import Facts
from orders.demo.settlers import Settlement

WEEKS = 6  # the oldest has just stopped to count
# good it is like, name, how many times its price, description, voucher: all invented
WAITING = (
    ("pomelo", "江永沙田柚（精品）", 2, "单果一公斤以上，皮薄、汁多。", "https://shop.example.cn/演示/沙田柚"),
    ("choy-sum", "新田红菜苔", 1, "霜后采收，茎脆叶嫩。", ""),
    ("bitter-tea-top", "江华苦茶（礼盒）", 3, "明前采摘，盒装。", "https://shop.example.cn/演示/苦茶礼盒"),
)
SENT_BACK = ("tomato", "道县番茄苗菜", "好吃。")
RAISED = ("jh-honey", 2)


def note_and_review(facts: Facts, settled: Settlement, goods: dict[str, int], today: date) -> None:
    """References of the last weeks, some listings that wait, one that was sent back, this month's outliers."""
    with clock.at(clock.shanghai(today, 8)), db.transaction():
        _note_references(facts, settled, today)
    for days, (like, name, times, description, link) in enumerate(WAITING, 1):
        with clock.at(clock.shanghai(today - timedelta(days=2 * days), 10)), db.transaction():
            _submit(facts, settled, like, link, name=name, description=description, aliases="",
                    price_fen=facts.goods[like].price_fen * times)
    _send_one_back(facts, settled, today)
    key, times = RAISED
    with clock.at(clock.shanghai(today - timedelta(days=1), 16)), db.transaction():
        honey = products.own_product(goods[key], settled.organisations[facts.goods[key].coop_key])
        listing.change_price(honey, honey.price_fen * times, settled.person(facts.goods[key].coop_key, "manager"))
    with clock.at(clock.shanghai(today, 8)), db.transaction():
        outliers.watch()
        first = db.session().scalar(select(PriceOutlier.id).order_by(PriceOutlier.id).limit(1))
        if first:
            outliers.explain(first, "特级原料、小批加工，附检测报告（演示）。",
                             settled.person("city-revitalisation", "official"))


def _note_references(facts: Facts, settled: Settlement, today: date) -> None:
    """Every Monday each county's office of agriculture notes its goods, a little around what they sell for here."""
    chance = Random("references")
    counties = {row.code: row for row in db.session().execute(
        select(Division.id, Division.code, Division.name).where(Division.level == "county"))}
    shelf = {row.code: row.id for row in db.session().execute(select(Category.code, Category.id))}
    offices = {office.division_code: key for key, office in facts.offices.items() if office.kind == "agriculture"}
    monday = today - timedelta(days=today.weekday())
    rows: dict[Any, dict[str, Any]] = {}
    for good in facts.goods.values():
        county = counties[facts.coops[good.coop_key].county_code + "000000"]
        word = rules.plain_name(good.name_zh)
        for week in range(WEEKS):
            fen = money.part_of(money.price_of_kg(good.price_fen, good.grams_per_unit), chance.randint(8_700, 10_800))
            rows.setdefault((county.id, word, week), {
                "division_id": county.id, "category_id": shelf[good.category], "word": word, "fen_per_kg": fen,
                "source": f"{county.name}农贸市场周报（演示）", "day": monday - timedelta(weeks=week),
                "entered_by": settled.person(offices[county.code], "official").id, "entered_at": clock.now()})
    db.insert_rows(ReferencePrice, list(rows.values()))


def _submit(facts: Facts, settled: Settlement, like: str, link: str, **changes: Any) -> listing.Outcome:
    good = facts.goods[like]
    values = shelves.values(facts, good) | {"name_en": "", "description_en": ""} | changes
    return listing.submit(Incoming(values, voucher=Voucher(link) if link else None),
                          settled.organisations[good.coop_key], settled.person(good.coop_key, "manager"))


def _send_one_back(facts: Facts, settled: Settlement, today: date) -> None:
    like, name, description = SENT_BACK
    with clock.at(clock.shanghai(today - timedelta(days=5), 9)), db.transaction():
        outcome = _submit(facts, settled, like, "", name=name, description=description, aliases="",
                          price_fen=facts.goods[like].price_fen * 2)
    review = listing.newest_review(outcome.product_id)
    county = facts.coops[facts.goods[like].coop_key].county_code
    office = next(key for key, one in facts.offices.items()
                  if one.kind == "revitalisation" and one.division_code.startswith(county))
    if review is not None and review.decision == "waiting":
        with clock.at(clock.shanghai(today - timedelta(days=3), 15)), db.transaction():
            decisions.send_back(review.id, ["words", "voucher"], "请写明品种和一斤大约几个。",
                                settled.person(office, "official"))
