"""Settings from the environment. Production starts only when they are safe, and says what is missing."""

import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

SESSION_HOURS = 12
LIVE_KEYS = ("sk_live_", "rk_live_")


class UnsafeSettings(Exception):
    """The settings would put people at risk; the message lists what to set."""


@dataclass(frozen=True)
class Config:
    production: bool
    secret_key: str
    database_url: str
    data_dir: Path
    trusted_hosts: tuple[str, ...]
    second_factor: bool
    limiter_storage: str
    rate_limits: bool
    faults: frozenset[str]
    debug: bool
    low_cost_hashes: bool
    proxies: int
    mail_url: str
    mail_from: str
    site_url: str = "http://127.0.0.1:8000"  # how links outside a page begin
    stripe_key: str = ""  # none: cards are not offered
    stripe_secrets: tuple[str, ...] = ()  # of its webhooks: the newest first while one is being replaced
    stripe_api: str = ""  # somewhere else than at Stripe: the practice provider
    card_payments: bool = True  # whether cards are wanted at all
    practice_port: int = 0  # where the demo's practice provider listens; 0: beside the web server

    @property
    def files_dir(self) -> Path:
        """Where uploads lie."""
        return self.data_dir / "files"

    @property
    def search_dir(self) -> Path:
        """Where this host keeps its own search index."""
        return self.data_dir / "search"

    @property
    def live_money(self) -> bool:
        """Whether cards are charged in earnest."""
        return self.stripe_key.startswith(LIVE_KEYS)

    @property
    def hosted_page(self) -> str:
        """The origin of the page on which cards are paid; empty where they are not offered."""
        if not self.stripe_key:
            return ""
        return self.stripe_api or "https://checkout.stripe.com"

    def for_flask(self) -> dict[str, Any]:
        """The settings under the names that Flask and its extensions read."""
        return {
            "SECRET_KEY": self.secret_key,
            "TRUSTED_HOSTS": list(self.trusted_hosts) or None,
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "SQLALCHEMY_ENGINE_OPTIONS": {"hide_parameters": True},  # faults are logged: no hashes, numbers, names
            "MAX_CONTENT_LENGTH": 12 * 1024 * 1024,
            "MAX_FORM_MEMORY_SIZE": 2 * 1024 * 1024,
            "MAX_FORM_PARTS": 3000,
            "SESSION_COOKIE_NAME": "sijin",
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "SESSION_COOKIE_SECURE": self.production,
            "PERMANENT_SESSION_LIFETIME": timedelta(hours=SESSION_HOURS),
            "SESSION_REFRESH_EACH_REQUEST": False,
            "WTF_CSRF_TIME_LIMIT": None,
            "WTF_CSRF_CHECK_DEFAULT": True,
            "WTF_CSRF_SSL_STRICT": self.production,
            "RATELIMIT_STORAGE_URI": self.limiter_storage,
            "RATELIMIT_ENABLED": self.rate_limits,
            "RATELIMIT_HEADERS_ENABLED": False,
            "BABEL_DEFAULT_LOCALE": "zh",
            "BABEL_DEFAULT_TIMEZONE": "Asia/Shanghai",
        }


def from_environment(environ: Mapping[str, str] = os.environ) -> Config:
    """Read SIJIN_ENV, SECRET_KEY, DATABASE_URL, DATA_DIR, TRUSTED_HOSTS, SECOND_FACTOR, LIMITER_STORAGE, FAULTS,
    ARGON2_COST (low: tests and demo only), PROXIES (how many of our own stand in front and name the visitor's address),
    MAIL_URL (smtp://user:password@host:587 or smtps://…), MAIL_FROM, SITE_URL (how links in mails and chats begin),
    STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET (several with commas while one is replaced), STRIPE_API (practice only),
    CARD_PAYMENTS=off where production is to start without Stripe, PRACTICE_PORT (where the demo practises without it).

    Raises UnsafeSettings where production would start without the safe ones.
    """
    mode = environ.get("SIJIN_ENV") or "practice"
    if mode not in {"practice", "production"}:  # a slip must not start a site for all to practise on
        raise UnsafeSettings("SIJIN_ENV must be practice or production.")
    production = mode == "production"
    data_dir = Path(environ.get("DATA_DIR") or "data").resolve()
    config = Config(
        production=production,
        secret_key=environ.get("SECRET_KEY") or ("" if production else kept_secret(data_dir, "secret_key")),
        database_url=_with_driver(environ.get("DATABASE_URL") or f"sqlite:///{data_dir / 'sijin.db'}"),
        data_dir=data_dir,
        trusted_hosts=tuple(h for h in environ.get("TRUSTED_HOSTS", "").split(",") if h),
        second_factor=environ.get("SECOND_FACTOR", "on" if production else "off") == "on",
        limiter_storage=environ.get("LIMITER_STORAGE", "memory://"),
        rate_limits=environ.get("RATE_LIMITS", "on") != "off",
        faults=frozenset(f for f in environ.get("FAULTS", "").split(",") if f),
        debug=environ.get("FLASK_DEBUG", "") in {"1", "true", "True"},
        low_cost_hashes=environ.get("ARGON2_COST", "") == "low",
        proxies=int(environ.get("PROXIES") or 0),
        mail_url=environ.get("MAIL_URL", ""),
        mail_from=environ.get("MAIL_FROM", ""),
        stripe_key="" if environ.get("CARD_PAYMENTS") == "off" else environ.get("STRIPE_SECRET_KEY", ""),
        card_payments=environ.get("CARD_PAYMENTS") != "off",
        practice_port=int(environ.get("PRACTICE_PORT") or 0),
        stripe_secrets=tuple(s.strip() for s in environ.get("STRIPE_WEBHOOK_SECRET", "").split(",") if s),
        stripe_api=environ.get("STRIPE_API", "").rstrip("/"),
        site_url=(environ.get("SITE_URL") or _own_address(environ, production)).rstrip("/"),
    )
    if production:
        _refuse_unsafe(config)
    return config


def _own_address(environ: Mapping[str, str], production: bool) -> str:
    """In production the first of the names it answers to, by https; otherwise where the server listens."""
    if production:
        return f"https://{environ.get('TRUSTED_HOSTS', '').split(',')[0]}"
    return f"http://{environ.get('HOST') or '127.0.0.1'}:{environ.get('PORT') or '8000'}"


def _with_driver(url: str) -> str:
    """Addresses written for other tools mean the same driver here."""
    for short in ("postgres://", "postgresql://"):
        if url.startswith(short):
            return "postgresql+psycopg://" + url.removeprefix(short)
    return url


def kept_secret(data_dir: Path, name: str) -> str:
    """Outside production a random key is made once and kept, so that logins survive a restart."""
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / name
    try:
        with open(path, "x", opener=lambda p, flags: os.open(p, flags, 0o600)) as new:
            new.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return path.read_text()


def _refuse_unsafe(config: Config) -> None:
    wrong = [*_unsafe_cards(config)] if config.card_payments else []
    if len(config.secret_key.encode()) < 32 or len(set(config.secret_key)) < 10:
        wrong.append("SECRET_KEY must be set to at least 32 random bytes")
    if not config.trusted_hosts:
        wrong.append("TRUSTED_HOSTS must list the names this site answers to")
    if config.debug:
        wrong.append("FLASK_DEBUG must be off")
    if not config.rate_limits:
        wrong.append("RATE_LIMITS must be on")
    if config.faults:
        wrong.append("FAULTS are for tests only")
    if not config.second_factor:
        wrong.append("SECOND_FACTOR must be on")
    if config.low_cost_hashes:
        wrong.append("ARGON2_COST=low is for tests and the demo only")
    if config.mail_url and not config.mail_url.startswith(("smtp://", "smtps://")):
        wrong.append("MAIL_URL must begin with smtp:// or smtps://")
    if config.mail_url and "@" not in config.mail_from:
        wrong.append("MAIL_FROM must hold the address that mails come from")
    if wrong:
        raise UnsafeSettings("Production does not start: " + "; ".join(wrong) + ".")


def _unsafe_cards(config: Config) -> Iterator[str]:
    """Without the secret of its webhooks anybody could say that an order is paid."""
    if not config.stripe_key.startswith(LIVE_KEYS):
        yield "STRIPE_SECRET_KEY must be a live key (or CARD_PAYMENTS=off: bank transfers only)"
    if not config.stripe_secrets or any(len(secret) < 16 for secret in config.stripe_secrets):
        yield "STRIPE_WEBHOOK_SECRET must be set (or CARD_PAYMENTS=off: bank transfers only)"
    if config.stripe_api:
        yield "STRIPE_API is for practice only"
