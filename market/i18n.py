"""Chinese and English. Words are written in English in the code; every `translations/zh/*.po` is merged at start."""

from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, g, has_request_context, request
from flask_babel import Babel, get_locale
from flask_babel import gettext as gettext
from flask_babel import ngettext as ngettext

LOCALES = ("zh", "en")
FOLDER = Path(__file__).parent / "translations"


class Catalogue(Translations):
    """The Chinese words, read once from all fragments."""

    def __init__(self) -> None:
        super().__init__()
        self.plural = lambda n: 0
        self._catalog: dict[Any, str] = {}
        for path in sorted((FOLDER / "zh").glob("*.po")):
            with open(path, "rb") as fragment:
                self._take(read_po(fragment, locale="zh"))

    def _take(self, fragment: Any) -> None:
        for message in fragment:
            if not message.id or not message.string:
                continue
            if isinstance(message.id, tuple):
                self._catalog[(message.id[0], 0)] = message.string[0]
            else:
                self._catalog[message.id] = message.string


class Words:
    """Stands where Flask-Babel expects its domain: hands out the catalogue of the reader's language."""

    domain = "messages"

    def __init__(self) -> None:
        self._by_language: dict[str, NullTranslations] = {"zh": Catalogue(), "en": NullTranslations()}

    def get_translations(self) -> NullTranslations:
        locale = get_locale()
        return self._by_language[locale.language if locale and locale.language in LOCALES else "zh"]

    def gettext(self, string: str, **variables: Any) -> str:
        text = self.get_translations().ugettext(string)
        return text % variables if variables else text

    def ngettext(self, singular: str, plural: str, num: int, **variables: Any) -> str:
        variables.setdefault("num", num)
        return self.get_translations().ungettext(singular, plural, num) % variables


def init_app(app: Flask) -> None:
    Babel(app, locale_selector=choose_locale)
    app.extensions["babel"].instance.domain_instance = Words()


def choose_locale() -> str:
    """The language in the address (?lang=), else the one chosen before (a cookie), else Chinese."""
    if not has_request_context():
        return "zh"
    chosen = getattr(g, "locale", None)
    if chosen is None:
        asked = request.args.get("lang") or request.cookies.get("lang")
        chosen = g.locale = asked if asked in LOCALES else "zh"
    return chosen


def locale() -> str:
    """'zh' or 'en'."""
    return choose_locale()


def in_locale(zh: str, en: str) -> str:
    """One of two texts that are data, by the reader's language; Chinese where the English is missing."""
    return en if locale() == "en" and en else zh
