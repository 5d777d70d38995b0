"""Checks an evidence package. Standard library only, Python 3.8 or newer, no network.  校验证据包，只用 Python 标准库。

    python verify.py                       checks the folder this file lies in   校验本文件所在的文件夹
    python verify.py PACKAGE.zip           checks the ZIP itself                 直接校验压缩包
    --expect HASH       SHA-256 of manifest.json, as the site shows it           平台公布的清单哈希
    --expect-zip HASH   SHA-256 of the whole ZIP                                 整个压缩包的哈希

Exit 0: everything agrees. Exit 1: each line names a file and what is wrong with it.  退出码 0 为一致，1 为不一致。
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
import zipfile
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Iterator  # noqa: UP035 - Python 3.8
from xml.etree import ElementTree

MANIFEST, TRANSFERS, BLOCKS = "manifest.json", "ledger/transfers.jsonl", "ledger/blocks.jsonl"
FIGURES, INDEX, POPULATION = "figures.json", "index.xlsx", "sample/population.txt"
GENESIS = "0" * 64
CELL = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"

# a transfer's canonical line is a JSON list: the format number "1", then these
FIELDS = ("id", "event", "source", "backward", "debit", "credit", "amount_fen", "business_date", "posted_at",
          "village_id", "supplier_id", "unit_id", "unit_type", "method", "fund_source", "category", "certified",
          "grams", "income_kind", "linkage_id", "household_id", "lot_id", "order_ref", "line_ref", "reverses_id")
# what an event adds to, from which field, with which sign; a transfer booked backward counts the other way round
FEEDS = {
    "accepted": (("accepted_fen", "amount_fen", 1), ("accepted_grams", "grams", 1), ("certified_fen", "amount_fen", 1)),
    "returned": (("returned_fen", "amount_fen", 1), ("returned_grams", "grams", 1),
                 ("certified_fen", "amount_fen", -1)),
    "allowance": (("allowance_fen", "amount_fen", 1),), "received": (("received_fen", "amount_fen", 1),),
    "refunded": (("refunded_fen", "amount_fen", 1),), "attributed": (("KIND_fen", "amount_fen", 1),),
    "withdrawn": (("KIND_fen", "amount_fen", -1),), "paid_out": (("PAID_fen", "amount_fen", 1),),
}
HOUSEHOLD_KINDS = ("farm_gate_fen", "wage_fen", "land_fen", "dividend_fen")
ORDER_COLUMNS = {"D": "accepted_fen", "E": "returned_fen", "F": "allowance_fen", "G": "received_fen",
                 "H": "refunded_fen", "I": "farm_gate_fen", "J": "collective_fen"}  # of the second sheet
HOUSEHOLD_COLUMN = "D"  # of the third sheet


class Package:
    """A folder or a ZIP, read alike; `wrong` gathers what does not agree."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.wrong: list[tuple[str, str]] = []
        self.zip = None if path.is_dir() else zipfile.ZipFile(path)

    def close(self) -> None:
        if self.zip:
            self.zip.close()

    def names(self) -> list[str]:
        if self.zip:
            return [entry.filename for entry in self.zip.infolist()]
        return [found.relative_to(self.path).as_posix() for found in self.path.rglob("*") if not found.is_dir()]

    def open(self, name: str) -> IO[bytes]:
        return self.zip.open(name) if self.zip else (self.path / name).open("rb")

    def read(self, name: str) -> bytes:
        with self.open(name) as file:
            return file.read()

    def lines(self, name: str) -> Iterator[Any]:
        with self.open(name) as file:
            for line in file:
                yield json.loads(line.decode("utf-8"))


def main() -> int:
    asked = argparse.ArgumentParser(description="Checks an evidence package. 校验证据包。")
    asked.add_argument("package", nargs="?", default=str(Path(__file__).resolve().parent))
    asked.add_argument("--expect", help="SHA-256 of manifest.json 清单哈希")
    asked.add_argument("--expect-zip", help="SHA-256 of the whole ZIP 压缩包哈希")
    wanted = asked.parse_args()
    path = Path(wanted.package)
    wrong: list[tuple[str, str]] = []
    try:
        if wanted.expect_zip and sha256_of(path.open("rb"))[0] != wanted.expect_zip.strip().lower():
            wrong.append((path.name, "is not the ZIP that was expected 与预期的压缩包不符"))
        package = Package(path)
        check_all(package, wanted.expect)
        wrong += package.wrong
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        wrong.append((path.name, f"cannot be read 无法读取: {error}"))
    for name, what in wrong:
        sys.stdout.write(f"WRONG 不一致  {name}: {what}\n")
    sys.stdout.write(f"{len(wrong)} differences. 共 {len(wrong)} 处不一致。\n" if wrong else
                     "Everything agrees. 全部一致。\n")
    return 1 if wrong else 0


def check_all(package: Package, expected: str | None) -> None:
    """Files first; what they say only where the files are those of the manifest."""
    manifest = attempt(package, MANIFEST, lambda: check_files(package, expected))
    if package.wrong or manifest is None:
        return
    transfers = attempt(package, TRANSFERS, lambda: check_transfers(package)) or []
    attempt(package, BLOCKS, lambda: check_blocks(package, transfers, manifest["head"]))
    attempt(package, FIGURES, lambda: check_figures(package, transfers))
    attempt(package, INDEX, lambda: check_index(package, transfers))
    if manifest.get("draw"):
        attempt(package, POPULATION, lambda: check_draw(package, manifest["draw"], transfers))


def attempt(package: Package, name: str, check: Any) -> Any:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - whatever a changed file does to a check, the file is named
        package.wrong.append((name, f"cannot be checked 无法校验: {type(error).__name__} {error}"))
        return None


def check_files(package: Package, expected: str | None) -> Any:
    """Every file is there, none is added, none is changed; the manifest is the expected one."""
    content = package.read(MANIFEST)
    if expected and hashlib.sha256(content).hexdigest() != expected.strip().lower():
        package.wrong.append((MANIFEST, "is not the one that was expected 与预期的清单不符"))
    manifest = json.loads(content.decode("utf-8"))
    found = Counter(package.names())
    for name in sorted(set(manifest["files"]) | set(found)):
        if name == MANIFEST and found[name] == 1:
            continue
        if name not in manifest["files"] or found[name] > 1:
            package.wrong.append((name, "is not in the manifest 清单中没有此文件"))
        elif not found[name]:
            package.wrong.append((name, "is missing 缺少文件"))
        else:
            attempt(package, name, lambda name=name: check_file(package, name, manifest["files"][name]))
    return manifest


def check_file(package: Package, name: str, told: Any) -> None:
    if sha256_of(package.open(name)) != (told["sha256"], told["bytes"]):
        package.wrong.append((name, "was changed 内容被改动"))


def sha256_of(file: IO[bytes]) -> tuple[str, int]:
    running, size = hashlib.sha256(), 0
    with file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            running.update(piece)
            size += len(piece)
    return running.hexdigest(), size


def check_transfers(package: Package) -> list[dict[str, Any]]:
    """Each transfer's digest is the SHA-256 of its canonical line."""
    rows = []
    for line in package.lines(TRANSFERS):
        row = dict(zip(FIELDS, json.loads(line["canonical"])[1:]))  # noqa: B905 - Python 3.8
        if hashlib.sha256(line["canonical"].encode("utf-8")).hexdigest() != line["digest"]:
            package.wrong.append((TRANSFERS, f"transfer {row['id']}: digest differs 分录摘要不符"))
        rows.append(dict(row, digest=line["digest"], block=line["block"], period=line["period"]))
    return rows


def check_blocks(package: Package, transfers: list[dict[str, Any]], head: dict[str, Any]) -> None:
    """Block follows block up to the head; where a block's lines are given, its hash is recomputed from them."""
    inside: dict[int, Counter[str]] = defaultdict(Counter)
    for row in transfers:
        inside[row["block"]][f"{row['digest']} {row['period']}"] += 1
    number, previous = 0, GENESIS
    for block in package.lines(BLOCKS):
        number += 1
        if block["number"] != number or block["previous_hash"] != previous:
            package.wrong.append((BLOCKS, f"block {number} does not follow 区块不连续"))
        if "rows" in block:
            said = f"1 {block['number']} {block['previous_hash']} {block['sealed_at']}"
            told = "\n".join([said, *block["rows"]]).encode("utf-8")
            if hashlib.sha256(told).hexdigest() != block["hash"] or len(block["rows"]) != block["count"]:
                package.wrong.append((BLOCKS, f"block {number}: hash differs 区块哈希不符"))
        if inside.pop(number, Counter()) - Counter(block.get("rows", ())):
            package.wrong.append((BLOCKS, f"block {number} lacks transfers 区块缺少分录"))
        previous = block["hash"]
    if inside or (number, previous) != (head["number"], head["hash"]):
        package.wrong.append((BLOCKS, "does not end at the head 未到链头"))


def added_up(transfers: list[dict[str, Any]], key: Any) -> dict[Any, dict[str, int]]:
    sums: Any = defaultdict(lambda: defaultdict(int))
    for row in transfers:
        for name, measure, sign in FEEDS.get(row["event"], ()):
            if name != "certified_fen" or row["certified"]:
                kind = str(row["income_kind"])
                paid = "collective_paid" if kind == "collective" else "households_paid"
                name = name.replace("KIND", kind).replace("PAID", paid)  # noqa: PLW2901
                sums[key(row)][name] += sign * row[measure] * (-1 if row["backward"] else 1)
    return {found: {name: value for name, value in of.items() if value} for found, of in sums.items()}


def check_figures(package: Package, transfers: list[dict[str, Any]]) -> None:
    """The figures of every village and month, to the fen and gram."""
    told = {(row["village_id"], row["period"]): {name: value for name, value in row["figures"].items() if value}
            for row in json.loads(package.read(FIGURES).decode("utf-8"))["rows"]}
    real = added_up([row for row in transfers if row["village_id"]], lambda row: (row["village_id"], row["period"]))
    for key in sorted(set(told) | set(real)):
        if told.get(key, {}) != real.get(key, {}):
            package.wrong.append((FIGURES, f"village {key[0]}, {key[1]}: {told.get(key)}, by transfers 按分录 "
                                           f"{real.get(key)}"))


def check_index(package: Package, transfers: list[dict[str, Any]]) -> None:
    """The sums of each order, of all, and of all households are those of the transfers."""
    real = added_up([row for row in transfers if row["order_ref"]], lambda row: row["order_ref"])
    told, total = table_of(package, 2)
    for number in sorted({row["order_ref"] for row in transfers if row["order_ref"]} | set(told)):
        of_order = told.get(number, {})
        if of_order.get("count") != 1 or any(
                of_order.get(column, 0) != real.get(number, {}).get(name, 0)
                for column, name in ORDER_COLUMNS.items()):
            package.wrong.append((INDEX, f"order {number}: sums differ 订单合计不符"))
    for column, name in ORDER_COLUMNS.items():
        if total.get(column, 0) != sum(of.get(name, 0) for of in real.values()):
            package.wrong.append((INDEX, f"total of {name} differs 合计不符"))
    households = sum(of.get(name, 0) for of in added_up(transfers, lambda _row: 0).values() for name in HOUSEHOLD_KINDS)
    of_households = table_of(package, 3)[1].get(HOUSEHOLD_COLUMN, 0)
    if of_households != households:
        package.wrong.append((INDEX, "income of households differs 农户收入合计不符"))


def table_of(package: Package, sheet: int) -> tuple[dict[str, Any], dict[str, int]]:
    """Rows of a sheet by their first cell, in fen by column, between '… #' and 'Total'; and the totals."""
    rows: dict[str, Any] = {}
    started = False
    with zipfile.ZipFile(io.BytesIO(package.read(INDEX))) as book:
        content = book.read(f"xl/worksheets/sheet{sheet}.xml")  # a file whose hash has been checked
        for row in ElementTree.fromstring(content).iter(CELL + "row"):  # noqa: S314
            first = ""
            fen: dict[str, int] = {}
            for cell in row.iter(CELL + "c"):
                column = cell.get("r", "").rstrip("0123456789")
                text = "".join(part.text or "" for part in cell.iter() if part.tag in (CELL + "t", CELL + "v"))
                if column == "A":
                    first = text
                elif cell.get("t") is None and text:
                    fen[column] = round(Decimal(text) * 100)
            if started and first.startswith("合计"):
                return rows, fen
            if started:
                rows[first] = dict(fen, count=rows.get(first, {}).get("count", 0) + 1)
            started = started or first.endswith("#")
    raise ValueError(f"sheet {sheet} has no total")


def check_draw(package: Package, draw: dict[str, Any], transfers: list[dict[str, Any]]) -> None:
    """Draw again: rank all numbers by SHA-256 of 'seed head-hash number', take the first ones."""
    numbers = package.read(POPULATION).decode("utf-8").split()
    ranked = sorted(numbers, key=lambda one: hashlib.sha256(
        f"{draw['seed']} {draw['head_hash']} {one}".encode()).hexdigest())
    if len(numbers) != draw["population"] or sorted(set(numbers)) != numbers:
        package.wrong.append((POPULATION, "is not the population that was drawn from 总体不符"))
    if ranked[:draw["wanted"]] != draw["numbers"] or {row["order_ref"] for row in transfers} != set(draw["numbers"]):
        package.wrong.append((POPULATION, "the draw gives other orders 重新抽取的订单不同"))


if __name__ == "__main__":
    sys.exit(main())
