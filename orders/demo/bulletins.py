"""Progress notices in the demo world: a month's notice that was objected to and published, and a week's that is open.

Targets and declared figures are invented. After the year has been sealed, so that the notices name a head.
"""

from datetime import date

from market import clock, db, logins
from market.access import Visitor
from market.figures import EVERYWHERE
from market.working_days import working_days_after
from orders.bulletins import content, drafting, objecting, reading, spans, stating
from orders.bulletins.objecting import Objection
from orders.bulletins.spans import Span

DRAWER, PUBLISHER = "revive.city", "chief.city"
COUNTIES = ("revive.daoxian", "farm.dongan", "farm.shuangpai")  # those that declare something
DECLARED_FEN = {"month": (12_650_00, 8_305_50, 3_120_00), "week": (2_412_30, 1_150_00, 568_00)}
DOCUMENT, SOURCE = "演示〔{year}〕1号（虚构）", "演示数据：线下展销和直播，县里自行统计"
DAYS_BACK = 16  # time enough for two working days, whatever holidays lie between
TARGET_STEP_FEN = 50_000_00


def tell(today: date) -> None:
    """Nothing where the site's officials are others."""
    begun = clock.days_after(today, -DAYS_BACK)
    month = clock.months_before(clock.period_of(begun), 1)
    last_month, last_week = spans.months(month, month), spans.week_of(today).before()
    first, second = (logins.visitor_of_login(login) for login in (DRAWER, PUBLISHER))
    if first is None or second is None:
        return
    with clock.at(clock.shanghai(begun, 9)):
        _set_targets({last_month.year, last_week.year}, last_month, first)
        _declare(last_month)
        one = _opened(last_month, first)
        objection = _object(one)
    with clock.at(clock.shanghai(clock.days_after(working_days_after(begun, drafting.DAYS_OPEN), 1), 10)):
        with db.transaction():
            objecting.answer(objection, "kept", "已核对逐笔验收单，该车货 2 日后才验收，计入下期。", first)
        with db.transaction():
            drafting.publish(one, 1, second)
    with clock.at(clock.shanghai(today, 9)):
        _declare(last_week)
        _object(_opened(last_week, second))


def _set_targets(years: set[int], span: Span, by: Visitor) -> None:
    """A round figure somewhat above what each county has sold so far."""
    with db.snapshot():
        sold = [(one.code, one.year_fen) for one in reading.counties(span, EVERYWHERE)[0] if one.is_open]
    with db.transaction():
        for year in sorted(years):
            for code, fen in sold:
                stating.set_target(code, year, (fen // TARGET_STEP_FEN + 1) * TARGET_STEP_FEN,
                                   DOCUMENT.format(year=year), by)


def _declare(span: Span) -> None:
    for login, fen in zip(COUNTIES, DECLARED_FEN[span.kind], strict=True):
        with db.transaction():
            stating.declare(span, fen, SOURCE, None, _person(login))


def _opened(span: Span, by: Visitor) -> int:
    drawn = content.draw(span, "proven")
    with db.transaction():
        made = drafting.draft(span, "proven", drawn, by)
    with db.transaction():
        drafting.open_up(made, 1, by)
    return made


def _object(bulletin_id: int) -> int:
    with db.transaction():
        return objecting.raise_one(bulletin_id, Objection("proven", "我县月底还有一车脐橙，学校已收，表里没有。"),
                                   _person(COUNTIES[0]))


def _person(login: str) -> Visitor:
    found = logins.visitor_of_login(login)
    if found is None:
        raise LookupError(login)
    return found
