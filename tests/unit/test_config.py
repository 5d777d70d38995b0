"""Production starts only with safe settings, and says everything that is missing at once."""

import re
from pathlib import Path

import pytest

from market import config

SAFE = {
    "SIJIN_ENV": "production", "SECRET_KEY": "0123456789abcdef-really-random-0123456789",
    "TRUSTED_HOSTS": "sijin.example", "DATABASE_URL": "postgresql://localhost/sijin",
    "STRIPE_SECRET_KEY": "sk_live_of_a_test", "STRIPE_WEBHOOK_SECRET": "whsec_of_a_test_0123",
}


def test_safe_settings_start(tmp_path: Path) -> None:
    made = config.from_environment({**SAFE, "DATA_DIR": str(tmp_path)})
    assert made.second_factor
    assert made.for_flask()["SESSION_COOKIE_SECURE"]
    assert made.for_flask()["TRUSTED_HOSTS"] == ["sijin.example"]
    assert made.database_url == "postgresql+psycopg://localhost/sijin"


@pytest.mark.parametrize(("change", "why"), [
    ({"SECRET_KEY": ""}, "SECRET_KEY"),
    ({"SECRET_KEY": "x" * 64}, "SECRET_KEY"),
    ({"SECRET_KEY": "thirty-one characters are short"}, "SECRET_KEY"),
    ({"TRUSTED_HOSTS": ""}, "TRUSTED_HOSTS"),
    ({"FLASK_DEBUG": "1"}, "FLASK_DEBUG"),
    ({"FAULTS": "after_pay_before_commit"}, "FAULTS"),
    ({"SECOND_FACTOR": "off"}, "SECOND_FACTOR"),
    ({"RATE_LIMITS": "off"}, "RATE_LIMITS"),
    ({"ARGON2_COST": "low"}, "ARGON2_COST"),
    ({"STRIPE_SECRET_KEY": ""}, "STRIPE_SECRET_KEY"),
    ({"STRIPE_SECRET_KEY": "sk_test_of_a_test"}, "STRIPE_SECRET_KEY"),
    ({"STRIPE_WEBHOOK_SECRET": ""}, "STRIPE_WEBHOOK_SECRET"),
    ({"STRIPE_WEBHOOK_SECRET": "whsec_of_a_test_0123, ,"}, "STRIPE_WEBHOOK_SECRET"),
    ({"STRIPE_API": "http://127.0.0.1:9"}, "STRIPE_API"),
])
def test_production_refuses_and_says_why(change: dict[str, str], why: str, tmp_path: Path) -> None:
    with pytest.raises(config.UnsafeSettings) as refusal:
        config.from_environment({**SAFE, "DATA_DIR": str(tmp_path), **change})
    settings = (*SAFE, "FLASK_DEBUG", "FAULTS", "SECOND_FACTOR", "ARGON2_COST", "RATE_LIMITS", "STRIPE_API")
    assert [name for name in settings if re.search(rf"\b{name}\b", str(refusal.value))] == [why]


@pytest.mark.parametrize("mode", ["Production", "prod", "production ", "live", "0"])
def test_a_slip_in_the_mode_starts_nothing(mode: str, tmp_path: Path) -> None:
    with pytest.raises(config.UnsafeSettings, match="SIJIN_ENV"):
        config.from_environment({**SAFE, "SIJIN_ENV": mode, "DATA_DIR": str(tmp_path)})


def test_production_may_say_that_it_takes_no_cards(tmp_path: Path) -> None:
    made = config.from_environment({
        **SAFE, "STRIPE_WEBHOOK_SECRET": "", "CARD_PAYMENTS": "off", "DATA_DIR": str(tmp_path)})
    assert (made.stripe_key, made.hosted_page) == ("", "")


def test_everything_missing_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(config.UnsafeSettings) as refusal:
        config.from_environment({"SIJIN_ENV": "production", "DATA_DIR": str(tmp_path), "SECOND_FACTOR": "off"})
    assert all(name in str(refusal.value) for name in (
        "SECRET_KEY", "TRUSTED_HOSTS", "SECOND_FACTOR", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"))


def test_no_key_is_made_up_in_production(tmp_path: Path) -> None:
    with pytest.raises(config.UnsafeSettings):
        config.from_environment({**SAFE, "SECRET_KEY": "", "DATA_DIR": str(tmp_path)})
    assert list(tmp_path.iterdir()) == []


def test_in_practice_a_random_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    first = config.from_environment({"DATA_DIR": str(tmp_path)})
    again = config.from_environment({"DATA_DIR": str(tmp_path)})
    assert first.secret_key == again.secret_key
    assert len(first.secret_key) == 64
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0
    assert not first.for_flask()["SESSION_COOKIE_SECURE"]
