"""Open data at the door: the public page's figures and no others, to the schema, with versions, hashes and caching."""

import csv
import hashlib
import io
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from market import clock, db, limits, sealing
from market.households import Household
from orders.anomalies.models import AnomalyCase, OrderHold
from orders.income import presence
from orders.models import Order
from orders.opendata import publishing
from orders.opendata.models import OpenDataEntry
from orders.periods import closing
from tests.trade import Trade
from tests.world import GREENS, NOON, POMELO, World

VILLAGES, COUNTIES = "/open-data/village-income/2026-10", "/open-data/county-income/2026-10"
FEED = "/open-data/feed.json"
NOVEMBER = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
REPORT = "/reports/village-income"


@pytest.fixture(autouse=True)
def traded(app: Flask, world: World) -> Iterator[Trade]:
    """Two counties in October: three households in one, too few to be shown, and six in the other."""
    app.extensions.update(sijin_presence=presence.things_of, sijin_demo=lambda: False)
    trade = Trade(world)
    with clock.at(NOON):
        cabbage, taro = trade.product("白菜", price_fen=233), trade.product("香芋", POMELO, price_fen=481)
        trade.lot(cabbage, 50, households=list(trade.members(GREENS, world.villages["greens_home"])[:3]))
        trade.lot(taro, 50, households=list(trade.members(POMELO, world.villages["pomelo_home"])[:6]))
        for order in trade.orders(trade.place({cabbage: 9_500, taro: 7_500})):
            trade.ship(order.id)
            trade.accept(order.id)
        sealing.seal_all()
        publishing.publish_next()  # the month is not over: nothing is told
        assert db.session().scalar(select(func.count()).select_from(OpenDataEntry)) == 0
    with clock.at(NOVEMBER):
        yield trade


def told(client: FlaskClient, address: str) -> Any:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.get_json()


def act(world: World, propose: Any) -> None:
    """An act on October by two persons."""
    with db.transaction():
        proposal = propose()
    with db.transaction():
        closing.confirm(proposal, world.person("official.liang"))


def test_files_tell_what_the_public_page_tells_and_keep_to_their_schemas(world: World, client: FlaskClient) -> None:
    assert client.get(VILLAGES + ".json").status_code == 404
    publishing.publish_next()
    month, report = told(client, VILLAGES + ".json"), told(client, f"{REPORT}.json?period=2026-10")
    rows = sorted(report["rows"], key=lambda row: row["code"])
    assert sorted(month["rows"], key=lambda row: row["code"]) == rows and len(rows) == 2
    assert month["totals"] == report["totals"] and (month["version"], month["status"]) == (1, "provisional")
    keys = [column["key"] for column in report["columns"]]
    table = list(csv.reader(io.StringIO(client.get(VILLAGES + ".csv").data.decode("utf-8-sig"))))
    assert table[0] == keys
    assert [table[1:]] == [[["" if row[key] is None else str(row[key]) for key in keys] for row in month["rows"]]]
    hidden = next(row for row in rows if row["households"] is None)
    assert "不足" in hidden["instead"]["households"] and hidden["income_fen"] is None
    counties = told(client, COUNTIES + ".json")
    assert counties["totals"]["purchase_fen"] == report["totals"]["purchase_fen"]
    of_hidden = next(row for row in counties["rows"] if row["code"][:6] == hidden["code"][:6])
    assert (of_hidden["villages_without_income"], of_hidden["income_fen"], of_hidden["households"]) == (1, 0, 0)
    for name, content in (("village-income", month), ("county-income", counties)):
        schema = told(client, f"/open-data/{name}/schema.json")
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.Draft202012Validator(schema).validate(content)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(schema).validate(content | {"household_names": []})
        fields = told(client, f"/open-data/{name}/table-schema.json")["fields"]
        file = list(csv.reader(io.StringIO(client.get(f"/open-data/{name}/2026-10.csv").data.decode("utf-8-sig"))))
        assert [field["name"] for field in fields] == file[0]
        for at, field in enumerate(fields):
            assert all(row[at] == "" or field["type"] == "string" or int(row[at]) is not None for row in file[1:])
    people = db.session().scalars(select(Household.head_name)).all()
    both = client.get(VILLAGES + ".json").text + client.get(COUNTIES + ".json").text
    assert not [name for name in people if name in both]
    page = client.get("/open-data").text
    assert VILLAGES + ".csv" in page and "可能变动" in page


def test_a_month_closed_opened_and_closed_again_has_versions_and_the_feed_tells_them(
        world: World, client: FlaskClient) -> None:
    official = world.person("official.jin")
    publishing.publish_next()
    first = told(client, FEED)
    assert [(e["id"], e["superseded"]) for e in first["entries"]] == [
        ("county-income/2026-10/v1", False), ("village-income/2026-10/v1", False)]
    for _again in range(2):  # nothing has changed: nothing is new
        publishing.publish_next()
    assert told(client, FEED) == first and told(client, f"{FEED}?since={first['cursor']}")["entries"] == []
    statuses = []
    for propose in (lambda: closing.propose_close("2026-10", {}, 0, official),
                    lambda: closing.propose_reopen("2026-10", "漏记一张磅单", official),
                    lambda: closing.propose_close("2026-10", {}, 0, official)):
        act(world, propose)
        publishing.publish_next()
        month = told(client, VILLAGES + ".json")
        statuses.append((month["version"], month["status"], month["closing"]))
    assert statuses == [(2, "final", 1), (3, "provisional", None), (4, "final", 2)]
    new = told(client, f"{FEED}?since={first['cursor']}")
    assert [e["version"] for e in new["entries"] if e["data_set"] == "village-income"] == [4, 3, 2]
    assert [bool(e["files"]) for e in new["entries"]] == [not e["superseded"] for e in new["entries"]]
    older = told(client, f"{FEED}?since=0&before={new['entries'][-1]['cursor']}")["entries"]
    assert [e["id"] for e in older] == [e["id"] for e in first["entries"]]
    for entry in new["entries"]:
        for file in entry["files"]:
            body = client.get(file["href"]).data
            assert (hashlib.sha256(body).hexdigest(), len(body)) == (file["sha256"], file["bytes"])
    listed = told(client, "/open-data/index.json")["dataset"]
    assert [(one["identifier"], len(one["distribution"])) for one in listed] == [
        ("village-income", 2), ("county-income", 2)]
    assert told(client, listed[0]["conformsTo"])["title"] == "village-income"
    for path in publishing.folder().iterdir():
        os.utime(path, (0, 0))
    publishing.publish_next()
    assert len(list(publishing.folder().iterdir())) == 4  # files of older versions are gone


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_what_is_taken_under_check_leaves_the_files_of_a_closed_month(world: World, client: FlaskClient) -> None:
    act(world, lambda: closing.propose_close("2026-10", {}, 0, world.person("official.jin")))
    publishing.publish_next()
    code = max(told(client, VILLAGES + ".json")["rows"], key=lambda row: row["income_fen"] or 0)["code"]
    with db.transaction() as session:
        case = AnomalyCase(kind="price", key="x", grave=True, object="", value="", facts={}, evidence=[],
                           day=clock.today(), rule_version=1, found_at=clock.now(), due_on=clock.today())
        session.add(case)
        session.flush()
        for number in session.scalars(select(Order.number)).all():
            session.add(OrderHold(order_number=number, held_at=clock.now(), case_id=case.id))
    publishing.publish_next()
    month, report = told(client, VILLAGES + ".json"), told(client, f"{REPORT}.json?period=2026-10")
    assert month["version"] == 2 and month["rows"] == report["rows"]
    assert next(row for row in month["rows"] if row["code"] == code)["income_fen"] is None


def test_caches_scripts_and_hasty_askers_are_answered_rightly(app: Flask, client: FlaskClient) -> None:
    publishing.publish_next()
    for address in (VILLAGES + ".csv", VILLAGES + ".json", FEED, "/open-data/index.json",
                    "/open-data/village-income/schema.json"):
        answer = client.get(address)
        tag, *_more = answer.headers.get_all("ETag")
        assert not tag.startswith("W/") and "public" in answer.headers["Cache-Control"], address
        assert "max-age" in answer.headers["Cache-Control"] and "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.headers.get("Vary", "") and answer.headers["Access-Control-Allow-Origin"] == "*"
        again = client.get(address, headers={"If-None-Match": tag})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
        assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200
        head = client.head(address)
        assert (head.status_code, head.data, head.headers["ETag"], head.headers.get("Vary", "")) == (200, b"", tag, "")
        asked = client.options(address, headers={"Access-Control-Request-Method": "GET"})
        assert "If-None-Match" in asked.headers["Access-Control-Allow-Headers"] and asked.status_code == 200
    since = client.get(VILLAGES + ".csv").headers["Last-Modified"]
    assert client.get(VILLAGES + ".csv", headers={"If-Modified-Since": since}).status_code == 304
    for address in ("/open-data/village-income/2026-11.csv", "/open-data/village-income/2026-10.exe",
                    "/open-data/nothing/2026-10.csv", "/open-data/village-income/2026-13.json",
                    "/open-data/nothing/schema.json", "/open-data/village-income/..%2f2026-10.csv"):
        answer = client.get(address)
        assert answer.status_code == 404 and "no-store" in answer.headers["Cache-Control"], address
    for address, times in ((FEED, 60), (VILLAGES + ".json", 120)):
        limits.limiter.reset()
        codes = [client.get(address).status_code for _time in range(times + 1)]
        assert codes == [200] * times + [429], address
        refused = client.get(address)
        assert refused.headers["Retry-After"] == "60" and "太快" in refused.text
