"""Papers for the demo world, each with a word on it that says that it is invented."""

import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FONT = Path(__file__).parent.parent.parent / "static" / "fonts" / "NotoSansSC-Regular-subset.ttf"


def voucher(name: str) -> bytes:
    """A PNG of a payment voucher of this co-operative, plainly a demo."""
    return _sheet(("付款凭证", 64), (name, 40), ("演示数据 · 并非真实付款", 40), ("Demo data: no real payment", 32))


def certificate(name: str) -> bytes:
    """A PNG that stands for any certificate of this co-operative, plainly a demo."""
    return _sheet(("证照", 64), (name, 40), ("演示数据 · 并非真实证照", 40), ("Demo data: no real certificate", 32))


def notebook(goods: str) -> bytes:
    """A PNG of a page of a village's notebook, plainly a demo."""
    return _sheet((goods, 64), ("收货记录 · 各户重量", 40), ("演示数据 · 并非真实记录", 40),
                  ("Demo data: no real record", 32))


def _sheet(*lines: tuple[str, int]) -> bytes:
    picture = Image.new("RGB", (900, 560), "#fdf9ef")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((24, 24, 876, 536), outline="#2f6b4f", width=4)
    for line, (text, size) in enumerate(lines):
        pen.text((70, 70 + line * 110), text, font=ImageFont.truetype(str(FONT), size), fill="#22332b")
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
