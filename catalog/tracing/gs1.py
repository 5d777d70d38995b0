"""The address on a label, in GS1 Digital Link form: /01/<14 digits>/10/<lot code>.

No GS1 company prefix has been bought. The 14 digits are an in-house number of the range that GS1 leaves to such use
(restricted circulation, GTIN-13 prefixes 020–029): '02', the product's id in eleven digits, a right check digit. It is
unique within one installation, means nothing outside it, and must not be printed as a retail barcode. An installation
with a prefix of its own changes `number_of` alone.
"""

PREFIX = "02"


def number_of(product_id: int) -> str:
    """The 14-digit number of a product.

    >>> number_of(7), is_right("02000000000077"), is_right("02000000000078")
    ('02000000000077', True, False)
    """
    digits = f"{PREFIX}{product_id:011d}"
    return digits + _check_digit(digits)


def is_right(number: str) -> bool:
    """Whether 14 digits end in their check digit."""
    return (len(number) == 14 and number.isascii() and number.isdigit()
            and number[-1] == _check_digit(number[:-1]))


def product_of(number: str) -> int | None:
    """The product's id in an in-house number, None for any other number."""
    return int(number[2:-1]) if is_right(number) and number.startswith(PREFIX) else None


def _check_digit(digits: str) -> str:
    """GS1's modulo 10: weights 3 and 1 from the right."""
    total = sum(int(digit) * (3 if at % 2 == 0 else 1) for at, digit in enumerate(reversed(digits)))
    return str(-total % 10)
