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


def renamed(suffix: str, parts: Mapping[str, str]) -> bytes:
    """A workbook whose sheet and texts are called something else, as its types and relations say."""
    names = {"sheet1.xml": f"sheet1.{suffix}", "sharedStrings.xml": f"sharedStrings.{suffix}"}
    all_parts = {"[Content_Types].xml": TYPES, "_rels/.rels": TO_BOOK, "xl/workbook.xml": BOOK,
                 "xl/_rels/workbook.xml.rels": TO_SHEET, "xl/worksheets/sheet1.xml": sheet(ROW),
                 "xl/sharedStrings.xml": strings("<si><t>x</t></si>"), **parts}
    for old, new in names.items():
        all_parts = {name.replace(old, new): content.replace(old, new) for name, content in all_parts.items()}
    return packed(all_parts)


def named_often(times: int) -> bytes:
    """A sheet as large as may be, that the workbook names many times."""
    named = '<sheet name="1" sheetId="1" r:id="rId1"/>'
    cells = "".join(f'<row r="{n}">' + "<c/>" * 20 + "</row>" for n in range(3, 4900))
    return workbook(ROW + cells, {"xl/workbook.xml": BOOK.replace(named, named * times)}, dimension="")


def shared_formula(times: int) -> bytes:
    """One long formula that many cells share."""
    long = "A1+" * 2_000 + "A1"
    return workbook(f'<row r="2"><c r="A2"><f t="shared" si="0" ref="A2:A9">{long}</f></c></row>' + "".join(
        f'<row r="{n}"><c r="A{n}"><f t="shared" si="0"/></c></row>' for n in range(3, 3 + times)))


HIDDEN = b'<?xml version="1.0"' + b" " * 200 + b'encoding="cp037"?>'

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
    "cells-in-a-bin.xlsx": lambda: renamed("bin", {
        "xl/worksheets/sheet1.xml": sheet('<row r="2">' + "<c/>" * 5_000_000 + "</row>")}),
    "texts-in-a-png.xlsx": lambda: renamed("png", {"xl/sharedStrings.xml": strings("<si><t/></si>" * 1_000_000)}),
    "far-encoding.xlsx": lambda: workbook(ROW, {"xl/sharedStrings.xml": HIDDEN + laughs().encode("cp037")}),
    "prefixed-cells.xlsx": lambda: workbook(more={"xl/worksheets/sheet1.xml": (
        f'{HEAD}<x:worksheet xmlns:x={NS[6:]}><x:sheetData><x:row>' + "<x:c/>" * 200_000 +
        "</x:row></x:sheetData></x:worksheet>")}),
    "many-names.xlsx": lambda: workbook(ROW, {"xl/workbook.xml": BOOK.replace(
        "</workbook>", "<definedNames>" + '<definedName name="a">1</definedName>' * 300_000 +
        "</definedNames></workbook>")}),
    "attributes.xlsx": lambda: workbook('<row r="2">' + ("<c " + " ".join(f'a{n}=""' for n in range(60)) + "/>")
                                        * 20_000 + "</row>"),
    "one-line.csv": lambda: b"x," * 4_000_000,
    "fifty-megabytes.csv": lambda: b"x" * 50_000_000,
    "endless-row.csv": lambda: (",".join(HEADINGS) + "\n").encode() + b'"\n",' * 1_500_000,
    "open-quote.csv": lambda: (",".join(HEADINGS) + "\n").encode() + b'"' + b"x\n" * 3_000_000,
    "nul.csv": lambda: (",".join(HEADINGS) + "\n").encode() + b"\0" * 1_000_000,
    "million-lines.csv": lambda: (",".join(HEADINGS) + "\n").encode() + b"\n" * 5_000_000,
}
HARMLESS: Mapping[str, Callable[[], bytes]] = {
    "nested-zips.xlsx": nested,
    "bin.xlsx": lambda: renamed("bin", {}),
    "named-often.xlsx": lambda: named_often(300),
    "shared-formula.xlsx": lambda: shared_formula(5_000 - 1),
    "most-cells.xlsx": lambda: workbook('<row r="2">' + "<c><v>1</v></c>" * 99_000 + "</row>"),
    "most-cells-of-texts.xlsx": lambda: workbook('<row r="2">' + cell("x") * 85_000 + "</row>"),
    "most-texts.xlsx": lambda: workbook(ROW, {"xl/sharedStrings.xml": strings("<si><t>x</t></si>" * 99_000)}),
    "most-tags.xlsx": lambda: workbook('<row r="2"><c><v>1</v></c></row>' + "<z/>" * 258_000),
    "most-names.xlsx": lambda: workbook(ROW, {"xl/workbook.xml": BOOK.replace(
        "</workbook>", "<definedNames>" + '<definedName name="a">1</definedName>' * 29_900 +
        "</definedNames></workbook>")}),
    "wide-texts.xlsx": lambda: workbook(ROW, {"xl/sharedStrings.xml": strings(
        ("<si><t>🐖" + "x" * 120_000 + "</t></si>") * 250)}),
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
        began = time.process_time()
        try:
            rows = goods_sheet.KIND.read(content, {})
            found = f"{rows.total} rows: " + " ".join(sorted({m for e in rows.errors for m in e.messages}))
        except SheetRefused as refusal:
            found = refusal.code
        yield path.name, found, time.process_time() - began


def most_memory() -> int:
    """Megabytes that this process held at its worst."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


if __name__ == "__main__":
    files = [{"name": name, "found": found, "seconds": seconds} for name, found, seconds in
             read_all(Path(sys.argv[1]))]
    sys.stdout.write(json.dumps({"files": files, "megabytes": most_memory()}))
