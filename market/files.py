"""Uploads: real type, bounded size, pictures re-encoded, random names; read through the app only, never by path."""

import hashlib
import io
import re
import secrets
from datetime import datetime
from pathlib import Path

from PIL import Image, ImageOps
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from market import clock, db
from market.access import Visitor
from market.db import Base, choice
from market.errors import N_, MarketError

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 25_000_000
LONGEST_SIDE = 1600
PICTURES = ("JPEG", "PNG", "WEBP")
MAX_SCANS = 100  # of a JPEG that comes in passes, each over the whole picture; cameras write about ten
STRIP = 16  # rows of the small picture that are made at a time
JPEG_BEGINS = b"\xff\xd8"
SCAN, END_OF_JPEG = 0xDA, 0xD9
FIRST_SEGMENT, STANDING_ALONE = 0xC0, range(0xD0, 0xD9)  # markers from the first on are followed by a length, but these
ORIENTATION = 0x0112  # the EXIF tag that says which side is up
_XREF = re.compile(rb"startxref\s+([0-9]{1,9})\s+%%EOF")
_OBJECT = re.compile(rb"[0-9]{1,9}\s+[0-9]{1,5}\s+obj")

Image.MAX_IMAGE_PIXELS = MAX_PIXELS


class StoredFile(Base):
    """An upload: its bytes lie in the data folder under a random name."""

    __tablename__ = "stored_file"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(48), unique=True)
    original_name: Mapped[str]
    content_type: Mapped[str] = mapped_column(String(40))
    size_bytes: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    visibility: Mapped[str] = mapped_column(choice("visibility", "public", "parties", "own"))
    uploaded_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    uploaded_at: Mapped[datetime]


class FileRefused(MarketError):
    """Not a picture or PDF that we keep."""

    status = 422
    code = "file_refused"
    text = N_("Please choose a photo (JPEG, PNG, WebP) or a PDF of at most 10 MB.")


def prepare(content: bytes) -> tuple[bytes, str, str]:
    """Check what was uploaded by its content and re-encode pictures (no EXIF, no position).

    Returns bytes, content type and suffix. Raises FileRefused. Call it before the transaction: it takes time.
    """
    if not content or len(content) > MAX_BYTES:
        raise FileRefused()
    if content.startswith(b"%PDF-"):
        _check_pdf(content)
        return content, "application/pdf", ".pdf"
    if content.startswith(JPEG_BEGINS) and _scans(content) > MAX_SCANS:
        raise FileRefused()
    try:
        with Image.open(io.BytesIO(content), formats=PICTURES) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise FileRefused()
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a JPEG is read small at once
            small = _in_strips(opened, max(1, max(opened.size) // LONGEST_SIDE))
            picture = ImageOps.exif_transpose(small)
    except FileRefused:
        raise
    except Exception as error:
        raise FileRefused() from error
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=80)
    return out.getvalue(), "image/webp", ".webp"


def _scans(jpeg: bytes) -> int:
    """How many passes over the picture a JPEG asks for; those of a small picture inside another segment are none.

    >>> _scans(b"\\xff\\xd8" + b"\\xff\\xda\\0\\3." * 3 + b"\\xff\\xd9")
    3
    """
    at, scans = len(JPEG_BEGINS), 0
    while (at := jpeg.find(b"\xff", at)) >= 0 and at + 1 < len(jpeg):
        marker = jpeg[at + 1]
        if marker == END_OF_JPEG:
            break
        if marker == 0xFF:
            at += 1
        elif marker < FIRST_SEGMENT or marker in STANDING_ALONE:
            at += 2
        else:
            scans += marker == SCAN
            at += 2 + int.from_bytes(jpeg[at + 2:at + 4])
    return scans


def _in_strips(picture: Image.Image, factor: int) -> Image.Image:
    """A picture in plain colours, so many times smaller. Strip by strip: a copy of 25 million pixels is 100 MB more."""
    width, height = picture.size
    small = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    for top in range(0, height, STRIP * factor):
        strip = picture.crop((0, top, width, min(height, top + STRIP * factor))).convert("RGB")
        small.paste(strip.reduce(factor), (0, top // factor))
    small.getexif()[ORIENTATION] = picture.getexif().get(ORIENTATION, 1)
    return small


def _check_pdf(content: bytes) -> None:
    """A PDF has objects, a page among them or in a stream, and tells at its end where they lie."""
    start = _XREF.search(content[-2048:])
    if start is None or b" obj" not in content or int(start[1]) >= len(content):
        raise FileRefused()
    at = content[int(start[1]):][:64].lstrip()
    if not at.startswith(b"xref") and not _OBJECT.match(at):
        raise FileRefused()


def keep(prepared: tuple[bytes, str, str], original_name: str, visibility: str, by: Visitor | None,
         folder: Path) -> StoredFile:
    """Write prepared bytes to the folder and a row to the database. A rolled-back row leaves a stray file."""
    content, content_type, suffix = prepared
    name = secrets.token_hex(16) + suffix
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    stored = StoredFile(
        name=name, original_name=original_name[:200], content_type=content_type, size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(), organisation_id=by.organisation_id if by else None,
        visibility=visibility, uploaded_by=by.id if by else None, uploaded_at=clock.now(),
    )
    db.session().add(stored)
    db.session().flush()
    return stored
