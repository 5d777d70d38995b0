"""The examples for production name the same paths, ports and settings, and a site starts with them."""

import re
import runpy
from dataclasses import asdict
from pathlib import Path

import pytest
from flask import Flask

from market import config, site_routes
from orders.paying import webhook_routes
from wsgi import create_app

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SECRET = "0123456789abcdef-this-is-a-long-secret"


def example() -> dict[str, str]:
    lines = (DEPLOY / "sijin.env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_example_is_complete_but_for_the_secret(tmp_path: Path) -> None:
    with pytest.raises(config.UnsafeSettings, match=r"start: SECRET_KEY must be set to at least 32 random bytes\.$"):
        config.from_environment(example())
    chosen = config.from_environment({**example(), "SECRET_KEY": SECRET})
    assert chosen.production
    site = create_app(type(chosen)(**{**asdict(chosen), "data_dir": tmp_path, "database_url": "sqlite://"}))
    assert site.config["TRUSTED_HOSTS"] == ["sijin.example"]


@pytest.mark.parametrize("fault", ["FAULTS", "FLASK_DEBUG"])
def test_production_refuses_what_is_for_tests(fault: str) -> None:
    with pytest.raises(config.UnsafeSettings, match=fault):
        config.from_environment({**example(), "SECRET_KEY": SECRET, fault: "1"})


def test_proxy_units_and_server_meet_at_one_port_and_in_one_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = example()
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    gunicorn = runpy.run_path(str(DEPLOY / "gunicorn.conf.py"))
    nginx = (DEPLOY / "nginx.conf").read_text()
    units = {path.name: path.read_text() for path in DEPLOY.glob("*.service")}
    assert set(re.findall(r"proxy_pass http://([^;]+);", nginx)) == {gunicorn["bind"]}
    assert gunicorn["worker_class"] == "sync"
    assert gunicorn["control_socket_disable"] is True
    assert settings["TRUSTED_HOSTS"] in nginx
    for text in units.values():
        assert "ReadWritePaths=" + settings["DATA_DIR"] in text
        assert "EnvironmentFile=/etc/sijin.env" in text
        root = Path(re.findall(r"WorkingDirectory=(.+)", text)[0])
        assert f"alias {root}/static/;" in nginx
        for command in re.findall(r"ExecStart(?:Pre)?=(.+)", text):
            assert command.startswith(f"{root}/.venv/bin/")
    assert "deploy/gunicorn.conf.py wsgi:app" in units["sijin-web.service"]


def test_what_the_proxy_keeps_inside_exists() -> None:
    app = Flask("rules")
    app.register_blueprint(site_routes.bp)
    kept = set(re.findall(r"location = (\S+) +\{ allow", (DEPLOY / "nginx.conf").read_text()))
    assert kept == {"/metrics", "/readyz"}
    assert kept <= {rule.rule for rule in app.url_map.iter_rules()}


def test_the_proxy_refuses_what_the_door_for_bells_would_refuse() -> None:
    app = Flask("rules")
    app.register_blueprint(webhook_routes.bp)
    address, kilobytes = re.findall(r"location = (/webhooks\S+) .*\n +client_max_body_size (\d+)k;",
                                    (DEPLOY / "nginx.conf").read_text())[0]
    assert address in {rule.rule for rule in app.url_map.iter_rules()}
    assert int(kilobytes) * 1024 == webhook_routes.MOST_BYTES
