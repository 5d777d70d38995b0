"""What a photo looks like, as 64 bits that hardly change when it is scaled, cropped a little or saved anew."""

import io
from collections.abc import Sequence
from typing import Any

from PIL import Image
from sqlalchemy import or_, select

from catalog.models import Product
from catalog.review.models import PictureMark
from catalog.review.rules import MOST_BITS_APART, Like, bits_apart
from market import db
from market.files import StoredFile
from market.parties import Organisation

PARTS = (PictureMark.part_1, PictureMark.part_2, PictureMark.part_3, PictureMark.part_4)
MOST_ALIKE = 50


def look_of(content: bytes) -> int:
    """The difference hash of a picture that files.prepare has checked: is each point brighter than its neighbour?"""
    with Image.open(io.BytesIO(content)) as opened:
        grey = opened.convert("L").resize((9, 8), Image.Resampling.LANCZOS)
    points = grey.tobytes()
    bits = 0
    for row in range(8):
        for column in range(8):
            bits = bits << 1 | (points[row * 9 + column] > points[row * 9 + column + 1])
    return bits


def note(file_id: int, look: int) -> None:
    """Keep what a photo looks like."""
    db.insert_rows(PictureMark, [{"file_id": file_id, **dict(zip(_names(), _parts(look), strict=True))}])


def alike(file_id: int, sha256: str, look: int | None, but_product_id: int | None = None) -> Sequence[Like]:
    """Other goods that show the same picture, whoever's they are, in one statement."""
    product, supplier, photo = db.table(Product), db.table(Organisation), db.table(StoredFile)
    mark = db.table(PictureMark)
    same = [photo.c.sha256 == sha256]
    if look is not None and look not in (0, 2**64 - 1):  # a picture of one colour looks like any other such
        same += [column == part for column, part in zip(PARTS, _parts(look), strict=True)]
    rows = db.session().execute(
        select(product.c.id, product.c.name, product.c.unit, supplier.c.short_name.label("supplier"), photo.c.sha256,
               mark.c.part_1, mark.c.part_2, mark.c.part_3, mark.c.part_4)
        .select_from(product).join(supplier, supplier.c.id == product.c.supplier_id)
        .join(photo, photo.c.id == product.c.photo_id).outerjoin(mark, mark.c.file_id == photo.c.id)
        .where(or_(*same), photo.c.id != file_id).order_by(product.c.id).limit(MOST_ALIKE))
    return [Like(row.name, row.unit, row.supplier) for row in rows
            if row.id != but_product_id and (row.sha256 == sha256 or _is_close(row, look))]


def look_kept(file_id: int) -> int | None:
    """What was kept of a photo."""
    row = db.session().execute(select(*PARTS).where(PictureMark.file_id == file_id)).first()
    return None if row is None else _whole(row)


def _is_close(row: Any, look: int | None) -> bool:
    if look is None or row.part_1 is None:
        return False
    return bits_apart(_whole((row.part_1, row.part_2, row.part_3, row.part_4)), look) <= MOST_BITS_APART


def _names() -> list[str]:
    return [part.key for part in PARTS]


def _parts(look: int) -> list[int]:
    return [look >> shift & 0xFFFF for shift in (48, 32, 16, 0)]


def _whole(parts: Sequence[int]) -> int:
    whole = 0
    for part in parts:
        whole = whole << 16 | part
    return whole
