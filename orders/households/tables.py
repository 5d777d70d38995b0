"""A card and a list as spreadsheets; names masked but for the household's own co-operative."""

from collections.abc import Sequence
from typing import Any

from market import sheets, words
from market.households import masked
from market.i18n import gettext as _
from market.i18n import in_locale
from market.sheets import Heading, Table
from orders.households import cards, sums, years
from orders.households import words as own
from orders.households.cards import Card, Line
from orders.households.lists import HouseholdRow

KINDS = sums.KINDS


def card(found: Card, name: str) -> Table:
    """Every row of a card: earned, taken back, paid out; then what they add up to."""
    headings = [Heading(_("Date"), "text"), Heading(_("Month"), "text"), Heading(_("What"), "text"),
                Heading(_("Goods"), "text"), _unit(_("Weight"), "grams"), _unit(_("Price per kg"), "fen"),
                _unit(_("Amount"), "fen"), Heading(_("Kind of income"), "text"), Heading(_("Linkage"), "text"),
                Heading(_("Paid by"), "text"), Heading(_("Proof"), "text"), Heading(_("Signature"), "text")]
    rows = [_row(line, _("Taken back") if line.amount_fen < 0 else _("Earned")) for line in found.lines]
    rows += [_row(line, _("Paid out")) for line in found.payouts]
    return Table(headings, rows, above=[_title(found.year), *_facts(found, name)], below=_below(found))


def _row(line: Line, what: str) -> list[Any]:
    return [line.day.isoformat(), line.period + (_(" (late)") if line.is_late else ""), what,
            in_locale(line.goods.name, line.goods.name_en) if line.goods else "", line.grams,
            line.goods.fen_per_kg if line.goods else None, line.amount_fen,
            _(words.INCOME_KINDS[line.income_kind]), _(own.FORMS[line.linkage.form]) if line.linkage else "",
            line.payer, proof(line), ""]


def proof(line: Line) -> str:
    """The paper behind a row, in words."""
    text = own.PROOFS.get(line.proof_kind)
    return str(_(text, number=line.proof)) if text else line.proof


def _title(year: int) -> str:
    return str(_("Household income card %(year)s", year=years.words(year)))


def _facts(found: Card, name: str) -> list[str]:
    told = found.household_class
    return [_("Household: %(code)s %(name)s", code=found.code, name=name),
            _("Village: %(village)s", village=found.household.path),
            _("Class: %(told)s", told=f"{_(words.HOUSEHOLD_CLASSES[told.household_class])} ({told.year})" if told
              else _("not known")),
            _("People in the household: %(people)s", people=found.household.people)]


def _below(found: Card) -> list[str]:
    def fen(value: int | None) -> str:
        return _("not known") if value is None else sheets.plain("fen", value)

    return [
        _(cards.ONLY_HERE),
        _("Gross: %(yuan)s yuan", yuan=fen(found.sums.gross_fen)),
        _("Net, an estimate: %(yuan)s yuan", yuan=fen(found.estimate.net_fen)),
        _("Gross per head: %(yuan)s yuan", yuan=fen(found.per_head_fen)),
        _("Net per head, an estimate: %(yuan)s yuan", yuan=fen(found.net_per_head_fen)),
        _("Paid out to the household: %(yuan)s yuan", yuan=fen(found.sums.paid_fen)),
        _("Not yet paid at the end: %(yuan)s yuan", yuan=fen(found.sums.unpaid_fen)),
        *(f"{_(label)}: ____________" for label in own.SIGNERS),
    ]


def households(rows: Sequence[HouseholdRow], place: str, year: int) -> Table:
    """The list of a place's households with their year; codes and masked names."""
    headings = [Heading(_("Household code"), "code"), Heading(_("Head of the household"), "text"),
                Heading(_("Village"), "text"), Heading(_("Class"), "text"),
                Heading(_("People in the household"), "count"), _unit(_("Weight"), "grams"),
                *(_unit(_(words.INCOME_KINDS[kind]), "fen") for kind in KINDS), _unit(_("Gross"), "fen"),
                _unit(_("Net, estimated"), "fen"), _unit(_("Paid out"), "fen"), _unit(_("Not yet paid"), "fen")]
    total = sums.together(row.sums for row in rows)
    return Table(headings, [_household(row) for row in rows],
                 [_("Total"), None, None, None, sum(row.facts.people for row in rows if row.facts), total.grams,
                  *(total.by_kind[kind] for kind in KINDS), total.gross_fen, net_of(rows), total.paid_fen,
                  total.unpaid_fen],
                 above=[_title(year), place], below=[_(cards.ONLY_HERE)])


def _household(row: HouseholdRow) -> list[Any]:
    facts, told = row.facts, row.household_class
    return [row.code or _("not named yet"), masked(facts.head_name) if facts else "", facts.village if facts else "",
            _(words.HOUSEHOLD_CLASSES[told]) if told else "", facts.people if facts else None, row.sums.grams,
            *(row.sums.by_kind[kind] for kind in KINDS), row.sums.gross_fen,
            _("not known") if row.estimate.net_fen is None else row.estimate.net_fen, row.sums.paid_fen,
            row.sums.unpaid_fen]


def net_of(rows: Sequence[HouseholdRow]) -> int | None:
    """The estimates added up; None where one of them is not known."""
    nets = [row.estimate.net_fen for row in rows]
    return None if None in nets else sum(net for net in nets if net is not None)


def _unit(text: str, kind: str) -> Heading:
    return Heading(text + _(" (%(told)s)", told=_(sheets.UNITS[kind])), kind)
