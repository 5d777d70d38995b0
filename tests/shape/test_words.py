"""Both languages are whole: every English sentence of the product has its Chinese, and none is left over."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

ROOT = Path(__file__).parents[2]
FRAGMENTS = sorted((ROOT / "market/translations/zh").glob("*.po"))
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sdi]")
PYTHON_WORDS = {"_", "N_", "gettext", "lazy_gettext", "ngettext", "say"}
FROM_WORDS = ("_", "gettext", "ngettext")


def texts_of(node: ast.Call) -> list[str]:
    """The literal sentences a translating call is given; both forms for ngettext."""
    count = 2 if getattr(node.func, "id", "") == "ngettext" else 1
    return [a.value for a in node.args[:count] if isinstance(a, ast.Constant) and isinstance(a.value, str)]


def in_python() -> Iterator[tuple[str, str]]:
    for top in ("market", "catalog", "orders"):
        for path in sorted((ROOT / top).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in PYTHON_WORDS:
                    for text in texts_of(node)[:1]:
                        yield text, path.relative_to(ROOT).as_posix()


def in_templates() -> Iterator[tuple[str, str]]:
    options = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.suffix not in {".html", ".txt", ".typ", ".xml", ".svg"}:
            continue
        with open(path, "rb") as file:
            for _line, _function, message, _comments in babel_extract(file, FROM_WORDS, [], options):
                yield (message[0] if isinstance(message, tuple) else message), path.relative_to(ROOT).as_posix()


@cache
def used() -> dict[str, str]:
    """Every sentence with a file that says it."""
    return {text: where for text, where in (*in_python(), *in_templates()) if text}


@cache
def translated() -> dict[str, dict[str, tuple[str, ...]]]:
    """By sentence: the fragment's name and its Chinese."""
    found: defaultdict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for path in FRAGMENTS:
        with open(path, "rb") as file:
            for message in read_po(file, locale="zh"):
                if message.id:
                    text = message.id[0] if isinstance(message.id, tuple) else message.id
                    chinese = message.string if isinstance(message.string, tuple) else (message.string,)
                    found[text][path.name] = chinese
    return dict(found)


def test_every_sentence_has_its_chinese() -> None:
    known = {text for text, by_file in translated().items() if all(all(c) for c in by_file.values())}
    assert {text: where for text, where in used().items() if text not in known} == {}


def test_no_chinese_is_left_over() -> None:
    assert {text: list(by_file) for text, by_file in translated().items() if text not in used()} == {}


def test_two_fragments_agree_about_a_sentence() -> None:
    assert {text: by_file for text, by_file in translated().items() if len(set(by_file.values())) > 1} == {}


def test_both_languages_name_the_same_details() -> None:
    wrong = {
        text: chinese
        for text, by_file in translated().items() for forms in by_file.values() for chinese in forms
        if set(PLACEHOLDER.findall(text)) - {"%(num)s"} != set(PLACEHOLDER.findall(chinese)) - {"%(num)s"}
    }
    assert wrong == {}


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.stem)
def test_a_fragment_says_each_sentence_once(path: Path) -> None:
    ids = re.findall(r'^msgid ((?:".*"\n?)+)', path.read_text(), re.MULTILINE)
    assert sorted({text for text in ids if ids.count(text) > 1}) == []


def test_what_is_looked_for_is_found() -> None:
    call = ast.parse('_("One"); ngettext("%(num)s box", "%(num)s boxes", 2)').body
    assert [texts_of(expression.value) for expression in call] == [["One"], ["%(num)s box", "%(num)s boxes"]]  # type: ignore[attr-defined]
    assert "Main menu" in used()
