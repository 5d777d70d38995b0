"""Every report in every form, for every kind of reader: the same rows, and nothing that is not theirs."""

import html
import io
import re
from typing import Any

import pytest
from flask import Flask
from pypdf import PdfReader

from market import access, clock, sheets
from orders.income import presence
from orders.reports.routes import LINES, REPORTS
from tests import report_pages
from tests.report_pages import FORMULAS, LONG_NUMBER, as_cell, as_page, shown
from tests.trade import Trade
from tests.world import NOON, PEOPLE, World

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
MONTHS = "from=2026-10&to=2026-10"
FORMS = ("", "?format=print", ".csv", ".xlsx", ".json")
OFFICIALS_ONLY = {"farm_gate_fen", "wage_fen", "land_fen", "dividend_fen", "clear_purchase_fen", "clear_income_fen"}
OFFICIALS_WORDS = ("收购款", "工资", "土地租金", "分红", "不含核查中")


@pytest.fixture(autouse=True)
def traded(app: Flask, world: World) -> Any:
    app.extensions.update(sijin_presence=presence.things_of, sijin_demo=lambda: False)
    report_pages.trade_of_two_years(Trade(world))
    with clock.at(NOON):
        yield


def address(name: str, form: str, query: str = MONTHS) -> str:
    return f"/reports/{name}{form}{'&' if '?' in form else '?'}{query}"


def readers() -> dict[frozenset[Any], str]:
    """One person of every kind of organisation and set of roles."""
    return {frozenset((key, *roles)): login for login, (_name, key, roles) in reversed(PEOPLE.items())}


def test_every_report_answers_every_reader_in_every_form_as_its_verb_says(world: World) -> None:
    for login in [*readers().values(), None]:
        browser = world.logged_in(login) if login else world.app.test_client()
        headers = world.api_headers(login) if login else {}
        for name, report in REPORTS.items():
            may = report.verb is None or (login is not None and access.can(world.person(login), report.verb))
            query = MONTHS if login and access.can(world.person(login), "report.read") else "period=2026-09"
            for form in FORMS if may else ("", ".pdf"):
                answer = browser.get(address(name, form, query))
                assert answer.status_code == (200 if may else 404), (login, name, form, answer.text[:300])
            api = browser.get(f"/api/v1/reports/{name}?{query}", headers=headers)
            assert api.status_code == (401 if login is None else 200 if may else 404), (login, name)
            if may and login:
                page = answer.get_json()
                assert [api.get_json()[part] for part in ("rows", "totals", "columns")] == [
                    page[part] for part in ("rows", "totals", "columns")]


def test_what_the_public_may_not_see_is_in_no_form(world: World) -> None:
    with clock.at(NOON.replace(month=11)):
        for login in ("cook.chen", "chair.shi", None):
            browser = world.logged_in(login) if login else world.app.test_client()
            told = browser.get(address("village-income", ".json", "period=2026-10")).get_json()
            keys = {column["key"] for column in told["columns"]}
            assert not keys & OFFICIALS_ONLY and all(not {*row} & OFFICIALS_ONLY for row in told["rows"])
            for form in ("", "?format=print", ".csv", ".json"):
                text = browser.get(address("village-income", form, "period=2026-10")).text
                assert not any(word in text for word in OFFICIALS_WORDS), form
            paper = browser.get(address("village-income", ".pdf", "period=2026-10")).data
            assert not any(word in text_of(paper) for word in OFFICIALS_WORDS)
            for query in ("columns=wage_fen", "unit_type=school", "method=fair", "certified=1", "unit=1",
                          "compare=ytd", "stage=received"):
                for form in (*FORMS, ".pdf"):
                    refused = browser.get(address("village-income", form, f"period=2026-10&{query}"))
                    assert refused.status_code == 422, (query, form)
                    assert FORMULAS["village"].encode() not in refused.data


def test_page_print_csv_xlsx_and_json_agree_cell_by_cell_and_totals_are_sums(world: World) -> None:
    browser = world.logged_in("official.jin")
    with_rows = set()
    for name, report in REPORTS.items():
        for query in [MONTHS, "from=2026-09&to=2026-10", *wishes(report)]:
            told = browser.get(address(name, ".json", query)).get_json()
            assert told is not None, (name, query)
            with_rows |= {name} if told["rows"] else set()
            agree(browser, name, query, told)
    assert {"village-income", "unit-progress", "reconciliation"} <= with_rows


def wishes(report: Any) -> list[str]:
    """Further questions that a report takes: filters, comparison, stages, fewer columns."""
    values = {"unit_type": "school", "method": "direct_online", "fund_source": "canteen", "category": "vegetables",
              "certified": "0"}
    filters = "&".join(f"{name}={value}" for name, value in values.items() if name in report.filters)
    compare = f"compare={','.join(sorted(report.compares))}"
    return [
        *([f"{MONTHS}&{filters}"] if filters else []), *([f"{MONTHS}&{compare}"] if report.compares else []),
        *([f"{MONTHS}&{filters}&{compare}"] if filters and report.compares else []),
        *(f"{MONTHS}&stage={stage}" for stage in report.stages)]


def agree(browser: Any, name: str, query: str, told: dict[str, Any]) -> None:
    columns, rows, totals = told["columns"], told["rows"], told["totals"]
    headings = [column["heading"] for column in columns]
    where = (name, query)
    file = browser.get(address(name, ".csv", query)).data
    assert file.startswith(b"\xef\xbb\xbf")
    in_file = report_pages.of_csv(file)
    assert in_file[0] == headings, where
    in_sheet = report_pages.of_xlsx(browser.get(address(name, ".xlsx", query)).data, headings)
    pages = [report_pages.of_page(browser.get(address(name, form, query)).text)
             for form in ("?format=page", "?format=print")]
    assert len(in_sheet) == len(in_file) - 1 == len(rows) + 1, where
    for at, row in enumerate([*rows, totals]):
        for number, column in enumerate(columns):
            key, kind, value = column["key"], column["kind"], shown(row, column["key"])
            cell, found = in_sheet[at][number], in_file[at + 1][number]
            if at == len(rows) and (number == 0 or kind in ("text", "code")):
                continue
            here = (*where, key, at)
            if value in (None, ""):
                assert cell.value in (None, "") and found == "", here
            elif isinstance(value, str):
                assert cell.value == value and cell.data_type == "s" and found == sheets.guarded(value), here
            else:
                assert cell.data_type == "n" and cell.value == pytest.approx(as_cell(kind, value), abs=1e-9), here
                assert found == sheets.plain(kind, value), here
            for page in pages:
                if page and len(rows) <= 50 and value not in (None, ""):
                    text = page[at][number]
                    assert text == (" ".join(value.split()) if isinstance(value, str) else as_page(kind, value)), here
    for number, column in enumerate(columns):
        if column["sums"]:
            key = column["key"]
            assert totals[key] == sum(row[key] or 0 for row in rows), (*where, key)
            cells = [row[number].value for row in in_sheet]
            again = sum(value for value in cells[:-1] if isinstance(value, int | float))
            assert cells[-1] == pytest.approx(again, abs=1e-6), (*where, key)


def test_numbers_that_are_names_and_names_that_are_formulas_stay_text(world: World) -> None:
    browser = world.logged_in("official.jin")
    found: set[str] = set()
    for name in REPORTS:
        told = browser.get(address(name, ".json")).get_json()
        file = browser.get(address(name, ".csv")).data.decode("utf-8-sig")
        cells = [cell for row in report_pages.of_xlsx(browser.get(address(name, ".xlsx")).data,
                                                      [column["heading"] for column in told["columns"]])
                 for cell in row]
        for text in (LONG_NUMBER, *FORMULAS.values()):
            if any(text in map(str, row.values()) for row in told["rows"]):
                found.add(text)
                assert [cell.data_type for cell in cells if str(cell.value) == text].count("s"), (name, text)
                assert (f'"{text}"' if text == LONG_NUMBER else f'"\'{text}"') in file, (name, text)
        assert not any(cell.data_type == "f" for cell in cells)
    assert {LONG_NUMBER, FORMULAS["village"]} <= found


def test_papers_hold_the_same_figures(world: World) -> None:
    browser = world.logged_in("official.jin")
    for name in REPORTS:
        answer = browser.get(address(name, ".pdf"))
        assert answer.status_code == 200 and answer.data[:5] == b"%PDF-", name
    told = browser.get(address("village-income", ".json")).get_json()
    paper = text_of(browser.get(address("village-income", ".pdf")).data)
    for row in [*told["rows"], told["totals"]]:
        assert f"{row['purchase_fen'] / 100:,.2f}" in paper
    assert "2026-10" in paper and LONG_NUMBER in text_of(browser.get(address("unit-progress", ".pdf")).data)


def text_of(paper: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(paper)).pages)


def test_a_filter_that_a_report_does_not_take_is_refused_everywhere(world: World) -> None:
    browser = world.logged_in("official.jin")
    for name, report in REPORTS.items():
        for wish, value in (("unit_type", "school"), ("unit", "1"), ("method", "fair"), ("certified", "1"),
                            ("fund_source", "union"), ("category", "vegetables")):
            if wish not in report.filters:
                for form in ("", ".csv", ".json"):
                    refused = browser.get(address(name, form, f"{MONTHS}&{wish}={value}"))
                    assert refused.status_code == 422, (name, wish, form)
                    assert "<tbody" not in refused.text
    for query, words in (("unit_type=nobody", "没有这个选项"), ("category=nothing", "没有这个选项"),
                         ("certified=perhaps", "无法识别。"), ("stage=open", "没有这个选项"),
                         ("compare=ever", "没有这个选项"), ("columns=nothing", "没有这样的列")):
        refused = browser.get(address("village-income", "", f"{MONTHS}&{query}"))
        assert refused.status_code == 422, query
        assert words in refused.text, query
        field = query.partition("=")[0]
        assert f'id="{field}-error"' in refused.text or field == "columns", query


def test_documents_behind_figures_come_page_by_page_and_add_up(world: World) -> None:
    browser = world.logged_in("official.jin")
    told = browser.get(address("village-income", ".json")).get_json()
    for name in LINES.keys() - {"village-income"}:
        page = browser.get(address(name, "")).text
        cells = re.findall(rf'href="(/reports/{name}/lines)\?([^"]+)">(.*?)</a>', page)
        assert cells or name == "co-op-return", name  # nothing is returned to members in this world
        for path, query, cell in cells:
            lines = browser.get(f"{path}.json?{html.unescape(query)}").get_json()
            last, words = lines["columns"][-1], html.unescape(re.sub("<[^>]*>", "", cell))
            assert as_page(last["kind"], lines["totals"][last["key"]]) == " ".join(words.split()), (name, query)
    for row in told["rows"]:
        for column in ("purchase_fen", "received_fen", "farm_gate_fen", "orders", "households", "people", "unpaid_fen"):
            query = f"{MONTHS}&village={row['code']}&figure={column}"
            lines = browser.get(f"/reports/village-income/lines.json?{query}").get_json()
            assert sum(line[column] for line in lines["rows"]) == lines["totals"][column] == row[column], column
            assert browser.get(f"/reports/village-income/lines?{query}").status_code == 200
    for bad in ("after=x", "after=2026-10+1", "after=9999999+000000000000001"):
        assert browser.get(f"/reports/village-income/lines?{MONTHS}&village={told['rows'][0]['code']}"
                           f"&figure=purchase_fen&{bad}").status_code == 404, bad
