"""A surplus return as a table for CSV and XLSX."""

from collections.abc import Mapping

from catalog.members.desk import Settlement
from market import money
from market.i18n import gettext as _
from market.sheets import Heading, Table


def as_table(found: Settlement, co_operative: str, states: Mapping[str, str]) -> Table:
    """Every member's line with the sums below."""
    row, sums = found.row, found.sums
    headings = [Heading(text, kind) for text, kind in (
        (_("Member number"), "text"), (_("Member's name"), "text"), (_("Village"), "text"),
        (_("Trade volume, kg"), "grams"),
        (_("Trade volume, yuan"), "fen"), (_("Capital, yuan"), "fen"), (_("Returned by volume, yuan"), "fen"),
        (_("Returned by capital, yuan"), "fen"), (_("Together, yuan"), "fen"))]
    rows = [(line.member_no, line.head_name, line.village, line.grams, line.amount_fen, line.capital_fen,
             line.volume_fen, line.share_fen, line.volume_fen + line.share_fen) for line in found.lines]
    totals = (_("Total"), "", "", sums["grams"], sums["amount_fen"], sums["capital_fen"], sums["volume_fen"],
              sums["share_fen"], sums["volume_fen"] + sums["share_fen"])
    above = (
        f"{co_operative} · " + _("Surplus return"),
        f"{row.first_day.isoformat()} – {row.last_day.isoformat()} · {_(states[row.state])}",
        _("Surplus ¥%(surplus)s, reserve ¥%(reserve)s (%(points)s), by volume ¥%(volume)s, by capital ¥%(capital)s, "
          "other ¥%(other)s", surplus=money.yuan(row.surplus_fen), reserve=money.yuan(row.reserve_fen),
          points=money.percent(row.reserve_points), volume=money.yuan(row.by_volume_fen),
          capital=money.yuan(row.by_capital_fen), other=money.yuan(row.other_fen)))
    return Table(headings, rows, totals, above)
