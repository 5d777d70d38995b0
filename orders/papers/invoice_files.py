"""The file of a 数电票: a PDF or picture, an OFD, or the XML, out of which number, amount and day are read."""

import io
import re
import zipfile
from dataclasses import dataclass
from datetime import date
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from market import files, money
from market.errors import N_

MOST_XML = 1024 * 1024
NUMBER = re.compile(r"[0-9]{20}", re.ASCII)
_DAY = re.compile(r"(20[0-9]{2})[-年/]([0-9]{1,2})[-月/]([0-9]{1,2})", re.ASCII)
# names of the elements that hold each thing, as the tax office's files call them
NUMBERS = ("InvoiceNumber", "EIid")
AMOUNTS = ("TotalTax-includedAmount",)
DAYS = ("IssueTime", "RequestTime")


class NoInvoiceFile(files.FileRefused):
    """Neither a picture nor PDF, OFD or XML."""

    code = "no_invoice_file"
    text = N_("Please choose the invoice as PDF, OFD, XML or a photo, at most 10 MB.")


@dataclass(frozen=True)
class Read:
    """What the file itself says; None where it says nothing."""

    prepared: tuple[bytes, str, str]
    number: str | None = None
    amount_fen: int | None = None
    issued_on: date | None = None


def read(content: bytes) -> Read:
    """Check a file by its content and read what an XML says. Raises NoInvoiceFile."""
    if content.startswith(b"PK\x03\x04"):
        return Read(_ofd(content))
    if content[:64].lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return _xml(content)
    try:
        return Read(files.prepare(content))
    except files.FileRefused as refusal:
        raise NoInvoiceFile() from refusal


def _ofd(content: bytes) -> tuple[bytes, str, str]:
    """An OFD is a ZIP with an OFD.xml at its root; nothing of it is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise NoInvoiceFile() from error
    if len(content) > files.MAX_BYTES or "OFD.xml" not in names:
        raise NoInvoiceFile()
    return content, "application/ofd", ".ofd"


def _xml(content: bytes) -> Read:
    if len(content) > MOST_XML:
        raise NoInvoiceFile()
    try:
        root: Element = fromstring(content)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise NoInvoiceFile() from error
    number = _text(root, NUMBERS)
    return Read((content, "application/xml", ".xml"), number if number and NUMBER.fullmatch(number) else None,
                _fen(_text(root, AMOUNTS)), _day(_text(root, DAYS)))


def _text(root: Element, names: tuple[str, ...]) -> str | None:
    for name in names:
        for element in root.iter():
            if isinstance(element.tag, str) and element.tag.rpartition("}")[2] == name and (element.text or "").strip():
                return (element.text or "").strip()
    return None


def _fen(text: str | None) -> int | None:
    try:
        return money.parse_fen(text) if text else None
    except ValueError:
        return None


def _day(text: str | None) -> date | None:
    found = _DAY.match(text or "")
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None
