"""Report 11, collective income: one row for each village of today in the calendar year of the last month asked for."""

from market import clock
from market.errors import N_, NotFound
from market.i18n import gettext as _
from orders.collective import figures, rules
from orders.collective.figures import VillageYear
from orders.reports.frame import Asked, Column, Content, Opens, Report, Row, total_of
from orders.reports.readers import Area, Reader

COLUMNS = (
    Column("county", N_("County"), "text"), Column("township", N_("Township"), "text"),
    Column("village", N_("Village"), "text"), Column("code", N_("Village code"), "code"),
    Column("last_year_fen", N_("Operating income, last year"), "fen", sums=True),
    Column("this_year_fen", N_("Operating income, this year"), "fen", sums=True),
    Column("increment_fen", N_("Increment"), "fen", sums=True),
    Column("platform_fen", N_("of this year: share from the platform"), "fen", "earned", sums=True, opens=True),
    Column("band", N_("Band"), "text"), Column("ratio", N_("Reward ratio"), "percent"),
    Column("pool_fen", N_("Suggested reward pool (a calculation, not a payment)"), "fen", sums=True),
    Column("decision", N_("Decision record"), "text"),
)


def read(asked: Asked, area: Area, reader: Reader) -> Content:
    """Officials only."""
    if not reader.sees_all:
        raise NotFound()
    year = int(asked.last[:4])
    rows = [_row(one) for one in figures.of_area(area.where, year, asked.every)]
    return Content(COLUMNS, rows, total_of(COLUMNS, rows), _notes(year))


def _row(one: VillageYear) -> Row:
    name = one.village.name
    if one.former:
        name = _("%(village)s (with what was: %(former)s)", village=name, former=_(", ").join(one.former))
    values = {
        "county": one.village.county, "township": one.village.township, "village": name, "code": one.village.code,
        "last_year_fen": one.before.operating_fen, "this_year_fen": one.now.operating_fen,
        "increment_fen": one.increment_fen, "platform_fen": one.now.platform_fen,
        "band": _(rules.BANDS[one.now.band]) if one.now.band else None, "ratio": one.ratio.value,
        "pool_fen": one.pool_fen,
        "decision": f"{one.decision.number} {one.decision.decided_on.isoformat()}" if one.decision else "",
    }
    instead = {key: _(rules.NOT_DECLARED) for key in ("last_year_fen", "this_year_fen", "band") if values[key] is None}
    return Row(values, instead, place=str(one.village.id), order=f"{one.village.code} {one.village.id}")


def _notes(year: int) -> list[str]:
    running = year >= clock.today().year
    return [
        _("Figures are those of the whole calendar year %(year)s and the one before, whatever the months chosen.",
          year=year),
        *([_("The year is not over: what stands here is what was earned and confirmed so far.")] if running else []),
        _("Operating income is the share from the platform's ledger plus other income (trading, contracts, "
          "investment, other) that the village declared and the township confirmed. Where none is declared for a year, "
          "income, band and increment of that year are not known."),
        _("The suggested reward pool is the ratio times the increment: a calculation, not a payment. The platform pays "
          "nobody; the village decides, and its decision record stands beside it."),
        _("Villages are those of today: what was earned under a former name, or by villages that were merged, stands "
          "in the row of the successor for both years."),
    ]


REPORT = Report("collective-income", N_("Collective income of villages"),
                N_("Operating income of village collectives by year, bands, increment and suggested reward pool."),
                read, verb="report.read", group="income", every=N_("Also villages with nothing in this time"),
                opens=Opens("collective.share", lambda row, _key, asked: {"village_id": row.place,
                                                                          "year": asked.last[:4]}))
