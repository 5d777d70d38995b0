"""The demo world's capacities and one surplus return: approved, nearly used up, asked for more, not yet answered."""

from datetime import date, timedelta

from sqlalchemy import select

from catalog.capacity import asking
from catalog.capacity.asking import Asked, Season
from catalog.capacity.models import SeasonCapacity, VillageCapacity
from catalog.members import surplus
from catalog.members.surplus import Plan
from market import clock, db
from orders import seasons
from orders.demo.year import Book

ASKED_GRAMS, LEAST_GRAMS = 400_000_000, 20_000_000
REASON = "演示：按田块核对后核定"
KEPT_GOODS = ("pomelo", "jy-taro")  # both of one county
WAITING_GOODS = "jy-ginger"


def approve_some(book: Book, today: date) -> None:
    """Two goods are approved, their first villages nearly used up; one raise and one declaration wait."""
    first = today - timedelta(days=90)
    season = Season(f"{today.year} 当季", first, today + timedelta(days=60))
    officer = book.settled.person("jiangyong-agriculture", "official")
    for key in KEPT_GOODS:
        coop = book.facts.coops[book.facts.goods[key].coop_key]
        clerk = book.settled.person(coop.key, "clerk")
        for number, code in enumerate(coop.village_codes):
            with clock.at(clock.shanghai(first, 9, number)), db.transaction():
                asked = asking.declare(book.products[key], book.settled.villages[code], season,
                                       Asked(ASKED_GRAMS, "演示：面积与亩产", 400_000, 1_000_000), [],
                                       seasons.sold_grams, clerk)
            with clock.at(clock.shanghai(first, 15, number)), db.transaction():
                asking.decide(asked.id, _enough(asked.village_capacity_id, number), REASON, seasons.sold_grams, officer)
    _leave_open(book, today, season)


def _enough(capacity_id: int, number: int) -> int:
    """The first village has used 85 percent of its figure, the others less; the season holds what was sold."""
    row = db.session().execute(
        select(VillageCapacity.booked_grams, SeasonCapacity.sold_grams)
        .join(SeasonCapacity, SeasonCapacity.id == VillageCapacity.season_id)
        .where(VillageCapacity.id == capacity_id)).one()
    if number == 0 and row.booked_grams:
        return min(ASKED_GRAMS, int(row.booked_grams) * 20 // 17)
    return min(ASKED_GRAMS, max(LEAST_GRAMS, int(row.booked_grams) * 2, int(row.sold_grams) * 2))


def _leave_open(book: Book, today: date, season: Season) -> None:
    """What the county's agriculture office finds today."""
    coop = book.facts.coops[book.facts.goods["pomelo"].coop_key]
    row = db.session().execute(
        select(VillageCapacity.id, VillageCapacity.approved_grams)
        .join(SeasonCapacity, SeasonCapacity.id == VillageCapacity.season_id)
        .where(SeasonCapacity.product_id == book.products["pomelo"]).order_by(VillageCapacity.id).limit(1)).one()
    with clock.at(clock.shanghai(today, 6, 30)), db.transaction():
        asking.ask_for_more(row.id, Asked(row.approved_grams * 3 // 2, "演示：新挂果的果园"),
                            [book.proofs[coop.key]], book.settled.person(coop.key, "clerk"))
    waiting = book.facts.coops[book.facts.goods[WAITING_GOODS].coop_key]
    with clock.at(clock.shanghai(today - timedelta(days=6), 10)), db.transaction():
        asking.declare(book.products[WAITING_GOODS], book.settled.villages[waiting.village_codes[0]], season,
                       Asked(30_000_000, "演示：二十亩香姜", 20_000, 1_500_000), [book.proofs[waiting.key]],
                       seasons.sold_grams, book.settled.person(waiting.key, "clerk"))


def return_surplus(book: Book, today: date) -> None:
    """A year's surplus of the pomelo growers, drawn up by the clerk; the chair has still to confirm it."""
    key = book.facts.goods["pomelo"].coop_key
    clerk = book.settled.person(key, "clerk")
    members = book.settled.households[key, book.facts.coops[key].village_codes[0]][:6]
    with clock.at(clock.shanghai(today, 6, 40)), db.transaction():
        for number, household in enumerate(members):
            surplus.set_capital(household, 100_000 + number * 50_000, clerk)
        surplus.draw_up(Plan(today - timedelta(days=364), today, 8_650_000, 1_000, 6_000), clerk)
