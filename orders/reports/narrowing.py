"""What a report is narrowed to beside its place: which filters there are, what one may choose, and who may."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from catalog.models import Category
from market import db, i18n
from market.errors import N_, InvalidInput
from market.i18n import gettext as _
from market.parties import Organisation
from market.words import FUND_SOURCES, METHODS, UNIT_TYPES
from orders.reports.declared import COMPARISONS, FILTERS, STAGES, Asked, Report
from orders.reports.readers import Reader, number_of

LABELS: Mapping[str, str] = {
    "unit_type": N_("Kind of unit"), "unit": N_("Unit"), "method": N_("Sales method"),
    "fund_source": N_("Fund source"), "category": N_("Kind of goods"), "certified": N_("Certified"),
}
FIXED: Mapping[str, Mapping[str, str]] = {
    "unit_type": UNIT_TYPES, "method": METHODS, "fund_source": FUND_SOURCES,
    "certified": {"1": N_("Certified goods"), "0": N_("Goods that are not certified")},
}
MOST_UNITS = 300  # offered to choose from; beyond that a unit is named by its credit code
LET_IN = (Organisation.kind == "unit") & (Organisation.status != "applying")
NOT_TAKEN = N_("This report cannot be narrowed by this.")
NOT_PUBLIC = N_("The public report is shown whole: narrowed, it could tell what single households earned.")
UNKNOWN = N_("There is no such choice here.")


@dataclass(frozen=True)
class Choice:
    """One filter's field: (value, words) to choose from; `typed` where there are too many to list."""

    name: str
    label: str
    options: Sequence[tuple[str, str]]
    typed: bool = False


def check(report: Report, asked: Asked, reader: Reader) -> None:
    """Nothing is left aside in silence: what the report or the reader may not have is refused at its field."""
    wrong: dict[str, list[Any]] = {}
    for name, value in asked.narrowed().items():
        if not reader.sees_all:
            wrong[name] = [NOT_PUBLIC]
        elif name not in report.filters:
            wrong[name] = [NOT_TAKEN]
        elif name in FIXED and name != "certified" and value not in FIXED[name]:
            wrong[name] = [UNKNOWN]
    if asked.stage and (asked.stage not in report.stages or not reader.sees_all):
        wrong["stage"] = [UNKNOWN]
    if asked.compare and (not set(asked.compare) <= set(report.compares) or not reader.sees_all):
        wrong["compare"] = [UNKNOWN]
    if wrong:
        raise InvalidInput(wrong)


def words_of(asked: Asked) -> dict[str, str]:
    """Each filter that is set, in words: 'Kind of unit: School'. Raises InvalidInput for unknown goods and units."""
    return {name: _("%(label)s: %(value)s", label=_(LABELS[name]), value=_value(name, value))
            for name, value in asked.narrowed().items()}


def _value(name: str, value: Any) -> str:
    if name == "category":
        return _found(name, dict(_categories()).get(value))
    if name == "unit":
        named = Organisation.id == number_of(value)
        return _found(name, db.session().scalar(select(Organisation.name).where(named, LET_IN)))
    return str(_(FIXED[name]["1" if value is True else "0" if value is False else value]))


def _found(name: str, words: str | None) -> str:
    if words is None:
        raise InvalidInput({name: [UNKNOWN]})
    return words


def choices(report: Report, reader: Reader) -> list[Choice]:
    """The fields of a report, in the order of FILTERS; none for the public."""
    if not reader.sees_all:
        return []
    return [_choice(name) for name in FILTERS if name in report.filters]


def _choice(name: str) -> Choice:
    if name == "category":
        return Choice(name, LABELS[name], _categories())
    if name == "unit":
        units = _units()
        return Choice(name, LABELS[name], units if len(units) <= MOST_UNITS else [], len(units) > MOST_UNITS)
    return Choice(name, LABELS[name], [(key, str(_(words))) for key, words in FIXED[name].items()])


def _categories() -> list[tuple[str, str]]:
    """By code: kinds of goods as they stand on order lines."""
    rows = db.session().execute(
        select(Category.code, Category.name_zh, Category.name_en).order_by(Category.sort, Category.id))
    return [(row.code, row.name_en if i18n.locale() == "en" else row.name_zh) for row in rows]


def _units() -> list[tuple[str, str]]:
    """Units that were ever let in, by name, wherever they are: any of them may buy in the reader's area."""
    rows = db.session().execute(select(Organisation.id, Organisation.name).where(LET_IN).order_by(
        Organisation.name, Organisation.id).limit(MOST_UNITS + 1))
    return [(str(row.id), row.name) for row in rows]


def unit_id(text: str) -> str:
    """A unit by its id or its credit code, as its id. Raises InvalidInput."""
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return text
    found = db.session().scalar(select(Organisation.id).where(Organisation.credit_code == text.upper(), LET_IN))
    return _found("unit", None if found is None else str(found))


def stage_choices(report: Report) -> list[tuple[str, str]]:
    """Between which stages one may switch; the first stands for what is shown without a word."""
    return [("" if at == 0 else stage, str(_(STAGES[stage]))) for at, stage in enumerate(report.stages)]


def compare_choices(report: Report) -> list[tuple[str, str]]:
    """Which comparisons one may add."""
    return [(name, str(_(words))) for name, words in COMPARISONS.items() if name in report.compares]
