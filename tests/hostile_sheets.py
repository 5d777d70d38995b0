"""Tables that mean harm, and a process of its own that reads one: `python -m tests.hostile_sheets FOLDER`.

It prints for each file what became of it, in how many seconds, and the most memory the process ever held.
"""

import io
import json
import struct
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from catalog.importing import goods_sheet
from market.sheet_input import SheetRefused

HEADINGS = [column.zh for column in goods_sheet.COLUMNS]
NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
BOOK = (f'{HEAD}<workbook {NS} xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
        '<sheet name="1" sheetId="1" r:id="rId1"/></sheets></workbook>')
TYPES = (HEAD + '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
         '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
         '<Override PartName="/xl/workbook.xml" ContentType='
         '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
         '<Override PartName="/xl/worksheets/sheet1.xml" ContentType='
         '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
         '<Override PartName="/xl/sharedStrings.xml" ContentType='
         '"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>')
RELATIONS = (HEAD + '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}'
             '</Relationships>')
TO_BOOK = RELATIONS.format('<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
                           'relationships/officeDocument" Target="xl/workbook.xml"/>')
TO_SHEET = RELATIONS.format(
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
    'Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/'
    '2006/relationships/sharedStrings" Target="sharedStrings.xml"/>')


def cell(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{text}</t></is></c>'


def sheet(rows: str, dimension: str = "A1:Q2") -> str:
    headings = '<row r="1">' + "".join(cell(heading) for heading in HEADINGS) + "</row>"
    return (f'{HEAD}<worksheet {NS}><dimension ref="{dimension}"/><sheetData>{headings}{rows}</sheetData>'
            '</worksheet>')


def strings(texts: str) -> str:
    return f"{HEAD}<sst {NS}>{texts}</sst>"


def workbook(rows: str = "", more: Mapping[str, bytes | str] | None = None, dimension: str = "A1:Q2") -> bytes:
    parts: dict[str, bytes | str] = {
        "[Content_Types].xml": TYPES, "_rels/.rels": TO_BOOK, "xl/workbook.xml": BOOK,
        "xl/_rels/workbook.xml.rels": TO_SHEET, "xl/worksheets/sheet1.xml": sheet(rows, dimension),
        "xl/sharedStrings.xml": strings("<si><t>x</t></si>"), **(more or {})}
    return packed(parts)


def packed(parts: Mapping[str, bytes | str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target.getvalue()


def lying_bomb() -> bytes:
    """A part that declares a hundred bytes and unpacks to 300 MB."""
    content = bytearray(workbook(more={"xl/sharedStrings.xml": b"<" + b" " * 300_000_000}))
    real = struct.pack("<I", 300_000_001)
    while (at := content.find(real)) >= 0:
        content[at:at + 4] = struct.pack("<I", 100)
    return bytes(content)


def laughs(levels: int = 12) -> str:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, levels))
    return (f'<?xml version="1.0"?><!DOCTYPE sst [<!ENTITY a0 "ha">{entities}]>'
            f"<sst {NS}><si><t>&a{levels - 1};</t></si></sst>")


OUTSIDE = ('<?xml version="1.0"?><!DOCTYPE sst [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
           f"<sst {NS}><si><t>&f;</t></si></sst>")
ROW = '<row r="2"><c t="s"><v>0</v></c></row>'


def nested() -> bytes:
    inner = packed({"bomb.txt": b"0" * 50_000_000})
    for _ in range(5):
        inner = packed({"inner.zip": inner})
    return workbook(ROW, {"xl/media/inner.zip": inner, "xl/embeddings/oleObject1.bin": inner})


REFUSED: Mapping[str, Callable[[], bytes]] = {
    "bomb.xlsx": lambda: workbook(more={"xl/sharedStrings.xml": b" " * 200_000_000}),
    "lying-bomb.xlsx": lying_bomb,
    "endless-cell.xlsx": lambda: workbook(ROW, {"xl/sharedStrings.xml": strings(
        "<si><t>" + "x" * 60_000_000 + "</t></si>")}),
    "million-strings.xlsx": lambda: workbook(ROW, {"xl/sharedStrings.xml": strings("<si><t/></si>" * 1_000_000)}),
    "million-rows.xlsx": lambda: workbook("".join(f'<row r="{n}"/>' for n in range(2, 1_000_002))),
    "million-cells.xlsx": lambda: workbook('<row r="2">' + "<c/>" * 2_000_000 + "</row>"),
    "far-row.xlsx": lambda: workbook('<row r="999999999"><c><v>1</v></c></row>'),
    "many-parts.xlsx": lambda: workbook(more={f"p{n}.xml": b"" for n in range(40_000)}),
    "laughs.xlsx": lambda: workbook(ROW, {"xl/sharedStrings.xml": laughs()}),
    "laughs-in-book.xlsx": lambda: workbook(ROW, {"xl/workbook.xml": laughs()}),
    "outside-entity.xlsx": lambda: workbook(ROW, {"xl/sharedStrings.xml": OUTSIDE}),
    "utf-16.xlsx": lambda: workbook(ROW, {"xl/sharedStrings.xml": laughs().encode("utf-16")}),
    "ebcdic.xlsx": lambda: workbook(ROW, {"xl/sharedStrings.xml": (
        b'<?xml version="1.0" encoding="cp037"?>') + laughs().encode("cp037")}),
    "one-line.csv": lambda: b"x," * 4_000_000,
    "fifty-megabytes.csv": lambda: b"x" * 50_000_000,
    "endless-row.csv": lambda: (",".join(HEADINGS) + "\n").encode() + b'"\n",' * 1_500_000,
    "open-quote.csv": lambda: (",".join(HEADINGS) + "\n").encode() + b'"' + b"x\n" * 3_000_000,
    "nul.csv": lambda: (",".join(HEADINGS) + "\n").encode() + b"\0" * 1_000_000,
    "million-lines.csv": lambda: (",".join(HEADINGS) + "\n").encode() + b"\n" * 5_000_000,
}
HARMLESS: Mapping[str, Callable[[], bytes]] = {
    "nested-zips.xlsx": nested,
    "lying-dimension.xlsx": lambda: workbook(ROW, dimension="A1:XFD1048576"),
    "traversal.xlsx": lambda: workbook(ROW, {"../../../../tmp/evil.xml": "<a/>", "/etc/evil.xml": "<a/>",
                                             "..\\..\\evil.dll": b"MZ"}),
    "formulas.xlsx": lambda: workbook('<row r="2">' + "".join(
        f"<c><f>cmd|' /C calc'!A{n}</f><v>1</v></c>" for n in range(len(HEADINGS))) + "</row>"),
}


def write_all(folder: Path) -> None:
    for name, make in {**REFUSED, **HARMLESS}.items():
        (folder / name).write_bytes(make())


def read_all(folder: Path) -> Iterator[tuple[str, str, float]]:
    """(name, code of the refusal or what was wrong with the rows, seconds)."""
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        began = time.perf_counter()
        try:
            rows = goods_sheet.KIND.read(content, {})
            found = f"{rows.total} rows: " + " ".join(sorted({m for e in rows.errors for m in e.messages}))
        except SheetRefused as refusal:
            found = refusal.code
        yield path.name, found, time.perf_counter() - began


def most_memory() -> int:
    """Megabytes that this process held at its worst."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


if __name__ == "__main__":
    files = [{"name": name, "found": found, "seconds": seconds} for name, found, seconds in
             read_all(Path(sys.argv[1]))]
    sys.stdout.write(json.dumps({"files": files, "megabytes": most_memory()}))
