"""The demo's reserved share: rules marked as invented, filings in several states, a table of 832."""

from datetime import date

from market import clock, db
from orders.demo.settlers import Settlement
from orders.quota import filing, lists, outside, rules

RULES = (  # duty, kind of unit, fund, which orders count, least and encouraged points, document, number
    ("832", "any", "canteen", "832", 1000, 1500, "财库〔2021〕20号所定比例", "K/未核对"),
    ("local", "any", "canteen", "local", 1000, 1500, "演示：永州市消费帮扶预留份额通知", "演示〔2026〕1号"),
    ("local", "school", "canteen", "local", 2000, 4000, "演示：学校食堂预留份额通知", "演示〔2026〕2号"),
    ("local", "enterprise", "canteen", "both", 1500, 3000, "演示：企业食堂倡议", "演示〔2026〕3号"),
    ("local", "any", "union", "local", 3000, 5000, "演示：工会采购预留份额通知", "演示〔2026〕4号"),
)
BASES = {"school-1": 120_000_000, "school-2": 90_000_000, "hospital-1": 260_000_000, "agency-1": 80_000_000}


def file_some(settled: Settlement, today: date) -> None:
    """Rules of the running year, and units that have filed, been approved or sent back. All invented."""
    year = today.year
    finance = settled.person("city-finance", "official")
    with clock.at(clock.shanghai(date(year, 1, 8), 10)), db.transaction():
        for duty, kind, fund, counts, least, more, document, number in RULES:
            rules.keep({
                "unit_type": kind, "fund_source": fund, "year": year, "duty": duty, "counts": counts,
                "min_points": least, "encouraged_points": more, "base": "年度食堂食材采购总额" if fund == "canteen"
                else "年度工会采购总额", "document_name": document, "document_number": number, "remark": "演示",
                "with_union": True, "with_staff": True}, finance)
        rules.set_deadline(year, date(year, 3, 31), finance)
    with clock.at(clock.shanghai(date(year, 1, 15), 10)), db.transaction():
        for key, base in BASES.items():
            _file(settled, key, year, canteen_base_fen=base, canteen_points=2000)
        _file(settled, "agency-2", year, canteen="none", canteen_points=None)
        _file(settled, "hospital-2", year, canteen="shared", canteen_points=None, representative="永州演示中心医院")
    with clock.at(clock.shanghai(date(year, 1, 20), 10)), db.transaction():
        for key in ("school-1", "hospital-1"):
            _answer(settled, key, year, approve=True)
        _answer(settled, "school-2", year, approve=False)
    with clock.at(clock.shanghai(date(year, 1, 25), 10)), db.transaction():
        _take_832(settled, year)


def _file(settled: Settlement, key: str, year: int, **changes: object) -> None:
    values = {"canteen": "own", "union_demand": False, "canteen_base_fen": None, "canteen_points": None,
              "union_base_fen": None, "union_points": None, "representative": "", "contractor": "",
              "contact": "演示联系人", "phone": "13900000000", "remark": "演示"} | changes
    filing.save(year, values, settled.person(key, "manager"), submit=True)


def _answer(settled: Settlement, key: str, year: int, approve: bool) -> None:
    """By the finance office nearest to the unit."""
    found = lists.filing(lists.filing_of(settled.organisations[key], year).id)
    office = {"school-1": "lengshuitan", "hospital-1": "lengshuitan", "school-2": "lingling"}[key]
    filing.decide(found, found.revision, approve, "" if approve else "演示：采购总额请按全年填报",
                  settled.person(f"{office}-finance", "official"))


def _take_832(settled: Settlement, year: int) -> None:
    """Two invented orders as an export of 832 would say them."""
    by = settled.person("school-1", "manager")
    sheet = ("订单编号,下单时间,订单金额,预算单位,供应商,商品名称\n"
             f"DEMO832-1,{year}-01-10,3200,永州演示第一小学,演示供应商,大米\n"
             f"DEMO832-2,{year}-01-12,1860.50,永州演示第一小学,演示供应商,菜油\n")
    rows, _errors = outside.read_orders(sheet.encode(), rules.unit(by.organisation_id))
    outside.keep_orders(rows, "832订单-演示.csv", by)
