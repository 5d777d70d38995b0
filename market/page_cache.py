"""Keeps what everybody sees alike for a few seconds: whole anonymous pages, and fragments such as a grid of cards.

A key holds everything a page depends on: address, query parameters, language, host, day, demo ribbon. A page that
touched the session (a CSRF token, a message to one person) is never kept.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from threading import Lock
from typing import Any, TypeVar, cast

from flask import Flask, Response, current_app, make_response, request, session
from flask_login import current_user

from market import clock, i18n, page_words, web

View = TypeVar("View", bound=Callable[..., Any])
Kept = TypeVar("Kept")

SECONDS = 5
MOST_ENTRIES = 512
LONGEST_VALUE = 100  # characters of one query parameter; longer ones are answered but not kept
PUBLIC = f"public, max-age={SECONDS}"


class PageCache:
    """Answers younger than a few seconds, by key; the oldest leave first. One per process, threads share it."""

    def __init__(self) -> None:
        self._entries: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> Any:
        """What is kept under a key and still fresh, else None."""
        with self._lock:
            until, value = self._entries.get(key, (0.0, None))
        return value if time.monotonic() < until else None

    def put(self, key: Hashable, value: Any, seconds: int = SECONDS) -> None:
        """Keep a value for some seconds."""
        with self._lock:
            self._entries.pop(key, None)
            self._entries[key] = (time.monotonic() + seconds, value)
            while len(self._entries) > MOST_ENTRIES:
                self._entries.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()


def init_app(app: Flask) -> None:
    app.extensions["sijin_pages"] = PageCache()


def cached_page(*parameters: str) -> Callable[[View], View]:
    """Keep this public page for anonymous visitors; `parameters` are all query parameters that it reads.

    A request with other parameters is answered afresh: they would appear in the page's links.
    """

    def mark(view: View) -> View:
        @wraps(view)
        def answer(**parts: Any) -> Any:
            if _is_personal():
                return view(**parts)
            key = _key(frozenset({*parameters, "lang"}))
            cache = _cache()
            body = cache.get(key) if key else None
            if body is None:
                response = make_response(view(**parts))
                if session.modified or response.status_code != 200:
                    return response
                body = response.get_data()
                if key:
                    cache.put(key, body)
            return _public(body)

        return cast(View, answer)

    return mark


def fragment(name: str, parts: Hashable, make: Callable[[], Kept], seconds: int = SECONDS) -> Kept:
    """A piece that everybody sees alike, logged in or not; `parts` is all it depends on but language and day. What
    hardly ever changes may be kept for more seconds.
    """
    key = ("fragment", name, parts, i18n.locale(), clock.today())
    cache = _cache()
    kept = cache.get(key)
    if kept is None:
        kept = make()
        cache.put(key, kept, seconds)
    return cast(Kept, kept)


def _cache() -> PageCache:
    return cast(PageCache, current_app.extensions["sijin_pages"])


def _is_personal() -> bool:
    """Whether somebody is logged in or a message waits for this browser; without a cookie nobody looks it up."""
    return bool(request.cookies.get("sijin")) and (current_user.is_authenticated or "_flashes" in session)


def _key(parameters: frozenset[str]) -> Hashable | None:
    """Everything an anonymous page depends on, or None for a request whose answer is not worth keeping."""
    asked = sorted(request.args.items(multi=True))
    names = [name for name, _value in asked]
    if len(set(names)) < len(names) or not parameters.issuperset(names):
        return None
    if any(len(value) > LONGEST_VALUE for _name, value in asked):
        return None
    return ("page", request.host_url, request.path, tuple(asked), i18n.locale(), clock.today(),
            page_words.installation_is_demo())


def _public(body: bytes) -> Response:
    """An answer that any cache on the way may keep; one that sets the language cookie is for this browser alone."""
    response = Response(body, mimetype="text/html")
    response.headers["Cache-Control"] = web.PRIVATE if "lang" in request.args else PUBLIC
    response.headers["Vary"] = "Cookie, Accept-Encoding"
    return response
