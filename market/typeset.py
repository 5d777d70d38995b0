"""Papers: a Typst template of templates/print, filled by Jinja, made into a PDF. The only file that knows Typst.

Whatever a template prints arrives in Typst as a string literal in which only letters, digits and spaces stand for
themselves and everything else is a \\u{…} escape. Such a literal is inert in code and in markup alike, so what users
wrote stays text. A character that no font of static/fonts draws is printed as 〓 with its code, never dropped.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import typst
from flask import current_app
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from market import clock, glyphs, money
from market.i18n import gettext

FONTS = Path(__file__).parents[1] / "static" / "fonts"
MISSING = "〓"  # what printers have always set where a type is missing
FILTERS: Mapping[str, Any] = {
    "kilograms": money.decimal_text, "quantity": money.decimal_text, "yuan": money.yuan, "capital": money.capital,
    "day": lambda day: day.isoformat() if day else "—",
    "moment": lambda at: at.astimezone(clock.SHANGHAI).strftime("%Y-%m-%d %H:%M") if at else "—",
}


def pdf(template: str, **values: Any) -> bytes:
    """A template of templates/print with these values (and `demo`), as a PDF: the same values give the same bytes."""
    source = _environment(str(Path(current_app.root_path) / "templates" / "print")).get_template(template).render(
        _=gettext, gettext=gettext, demo=current_app.extensions["sijin_demo"](), **values)
    return typst.compile(source.encode(), font_paths=_fonts(), timestamp=0, format="pdf")


def literal(value: Any) -> str:
    """A value as a Typst string literal that is text wherever it stands.

    >>> literal('白菜 #panic() "x" $ \\\\')
    '"白菜 \\\\u{23}panic\\\\u{28}\\\\u{29} \\\\u{22}x\\\\u{22} \\\\u{24} \\\\u{5c}"'
    """
    return '"' + "".join(_escaped(char) for char in drawable(str(value))) + '"'


def drawable(text: str) -> str:
    """The text with 〓 and the code where no font draws a character."""
    known = glyphs.drawn_by(FONTS)
    return "".join(char if ord(char) in known or char in "\n\t" else f"{MISSING}(U+{ord(char):04X})" for char in text)


def _escaped(char: str) -> str:
    plain = char == " " or (char.isalnum() and (char.isascii() or ord(char) >= 0x3400))
    return char if plain else f"\\u{{{ord(char):x}}}"


@cache
def _environment(folder: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(folder), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        finalize=literal, autoescape=False)  # noqa: S701 - the finalizer escapes for Typst, HTML's would be printed
    made.filters.update(FILTERS)
    return made


@cache
def _fonts() -> Any:
    """The fonts of static/fonts alone, so that paper looks alike on every host."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])
