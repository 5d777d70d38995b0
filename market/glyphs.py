"""Which characters a font file can draw: its character map, read by hand, so that paper never drops a rare name."""

from functools import cache
from pathlib import Path
from struct import unpack_from


@cache
def drawn_by(folder: Path) -> frozenset[int]:
    """The code points that at least one font of a folder draws."""
    return frozenset(point for path in sorted(folder.glob("*.ttf")) for point in _points(path.read_bytes()))


def _points(font: bytes) -> set[int]:
    """The code points of a font's Unicode character maps, formats 4 and 12."""
    tables = {font[at:at + 4]: unpack_from(">I", font, at + 8)[0]
              for at in range(12, 12 + 16 * unpack_from(">H", font, 4)[0], 16)}
    start = tables[b"cmap"]
    found: set[int] = set()
    for number in range(unpack_from(">H", font, start + 2)[0]):
        at = start + unpack_from(">I", font, start + 8 + 8 * number)[0]
        kind = unpack_from(">H", font, at)[0]
        found |= _format_12(font, at) if kind == 12 else _format_4(font, at) if kind == 4 else set()
    return found


def _format_12(font: bytes, at: int) -> set[int]:
    groups = (unpack_from(">III", font, at + 16 + 12 * n) for n in range(unpack_from(">I", font, at + 12)[0]))
    return {point for first, last, _glyph in groups for point in range(first, last + 1)}


def _format_4(font: bytes, at: int) -> set[int]:
    """Segments of the basic plane; a segment may still say of single characters that they are missing (glyph 0)."""
    count = unpack_from(">H", font, at + 6)[0] // 2
    ends = unpack_from(f">{count}H", font, at + 14)
    starts = unpack_from(f">{count}H", font, at + 16 + 2 * count)
    deltas = unpack_from(f">{count}H", font, at + 16 + 4 * count)
    offsets_at = at + 16 + 6 * count
    offsets = unpack_from(f">{count}H", font, offsets_at)
    found = set()
    for number, (first, last, delta, offset) in enumerate(zip(starts, ends, deltas, offsets, strict=True)):
        for point in range(first, min(last, 0xFFFE) + 1):
            glyph = point + delta
            if offset:
                glyph = unpack_from(">H", font, offsets_at + 2 * number + offset + 2 * (point - first))[0]
            if glyph & 0xFFFF:
                found.add(point)
    return found
