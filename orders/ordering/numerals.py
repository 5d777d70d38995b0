"""Numbers as people write them in an order: digits, full-width digits, Chinese numerals. Pure."""

import unicodedata

DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
TENS = {"十": 10, "百": 100, "千": 1000}
CHINESE = "".join((*DIGITS, *TENS, "万", "半"))
LONGEST = 12  # characters of one number


def thousandths(text: str) -> int | None:
    """A number in thousandths; None where it is none, or has more than three decimals.

    >>> [thousandths(text) for text in ("50", "２．５", "五十", "半", "一百二", "一百零二", "1.2345")]
    [50000, 2500, 50000, 500, 120000, 102000, None]
    """
    plain = unicodedata.normalize("NFKC", text)
    if not plain or len(plain) > LONGEST:
        return None
    if plain[0] in CHINESE:
        return _chinese(plain)
    whole, _point, decimals = plain.partition(".")
    if not (whole.isascii() and whole.isdigit()) or len(decimals) > 3 or plain.endswith("."):
        return None
    if decimals and not (decimals.isascii() and decimals.isdigit()):
        return None
    if len(whole) > 1 and whole[0] == "0":
        return None
    return int(whole) * 1000 + int(decimals.ljust(3, "0"))


def _chinese(text: str) -> int | None:
    if text == "半":
        return 500
    if any(character == "半" or character not in CHINESE for character in text):
        return None
    high, found, low = text.rpartition("万")
    if "万" in high:
        return None
    above = _below_ten_thousand(high) if found and high else 0
    below = _below_ten_thousand(low, 1000 if found else None) if low else 0
    if above is None or below is None or (found and not above):
        return None
    return (above * 10_000 + below) * 1000


def _below_ten_thousand(text: str, last: int | None = None) -> int | None:
    """A number of tens, hundreds and thousands; a last digit right after a hundred counts tens, as in 一百二.

    `last` is what such a digit counts at the very beginning: 一万二 is 12,000.
    """
    total, digit, smallest, said_zero = 0, None, 10_000, False
    for character in text:
        if character in TENS:
            if TENS[character] >= smallest or (digit is None and (character != "十" or total)):
                return None
            smallest = TENS[character]
            total += (1 if digit is None else digit) * smallest
            digit, last = None, smallest // 10
        elif digit is not None:
            return None  # 二三 may be two or three
        elif DIGITS[character] == 0:
            said_zero, last = True, None
        else:
            digit = DIGITS[character]
    if digit is None:
        return total if total or text in ("零", "〇") else None
    return total + digit * (last if last and not said_zero else 1)
