"""DynamoDB's number: an exact decimal of 38 digits, magnitude 1E-130 to 9.99..E+125, sent as text.

`parse` gives the one canonical text of a number (equal numbers are equal texts) and its size in bytes;
`sort_key` an encoding whose byte order is numeric order. No float is involved anywhere.
"""

from __future__ import annotations

from decimal import Context, Decimal, InvalidOperation
from functools import lru_cache

from infra.local.dynamodb.errors import validation

MAX_DIGITS = 38
_MAX_EXPONENT = 125
_MIN_EXPONENT = -130
# The exact sum of the largest and the smallest number has 256 digits: nothing is ever rounded.
_EXACT = Context(prec=300, Emax=10_000, Emin=-10_000)
_COMPLEMENT = bytes.maketrans(b"0123456789", b"9876543210")


@lru_cache(maxsize=65_536)
def parse(text: str) -> tuple[str, int]:
    """The canonical text and the stored size in bytes. ValidationException if it is not such a number."""
    if len(text) <= MAX_DIGITS and text.isdecimal() and text.isascii() and text[0] != "0":
        # A positive integer, as most are: canonical already.
        return text, _size(0, len(text.rstrip("0")), len(text) - 1)
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    # Python reads more than DynamoDB does: underscores, other scripts' digits, blanks around.
    if not number.is_finite() or not text.isascii() or "_" in text or text != text.strip():
        raise validation(f"The parameter cannot be converted to a numeric value: {text}")
    return _canonical(number)


def parse_decimal(number: Decimal) -> str:
    """The canonical text of a computed number; the same limits apply."""
    return _canonical(number)[0]


def add(left: str, right: str) -> str:
    """The exact sum of two canonical numbers. ValidationException if it has more than 38 digits."""
    if len(left) < MAX_DIGITS and len(right) < MAX_DIGITS and "." not in left and "." not in right:
        return str(int(left) + int(right))
    return parse_decimal(_EXACT.add(decimal(left), decimal(right)))


def subtract(left: str, right: str) -> str:
    return parse_decimal(_EXACT.subtract(decimal(left), decimal(right)))


@lru_cache(maxsize=65_536)
def decimal(text: str) -> Decimal:
    return Decimal(text)


@lru_cache(maxsize=65_536)
def sort_key(text: str) -> bytes:
    """Bytes that sort as the numbers do: sign, exponent, digits; complemented below zero."""
    sign, digits, exponent = _parts(Decimal(text))
    if not digits:
        return b"\x80"
    magnitude = exponent + 1000
    if not sign:
        return b"\x81" + magnitude.to_bytes(2, "big") + digits.encode()
    return b"\x7f" + (65_535 - magnitude).to_bytes(2, "big") + digits.encode().translate(_COMPLEMENT) + b"\xff"


def _parts(number: Decimal) -> tuple[int, str, int]:
    """Sign, significant digits without zeros around them, and the power of ten of the first digit."""
    sign, digit_tuple, exponent = number.as_tuple()
    digits = "".join(map(str, digit_tuple)).lstrip("0")
    leading = len(digits) + int(exponent) - 1
    return sign, digits.rstrip("0"), leading


def _canonical(number: Decimal) -> tuple[str, int]:
    sign, digits, exponent = _parts(number)
    if not digits:
        return "0", 1
    if len(digits) > MAX_DIGITS:
        raise validation("Attempting to store more than 38 significant digits in a Number")
    if exponent > _MAX_EXPONENT:
        raise validation("Number overflow. Attempting to store a number with magnitude larger than supported range")
    if exponent < _MIN_EXPONENT:
        raise validation("Number underflow. Attempting to store a number with magnitude smaller than supported range")
    return _plain(sign, digits, exponent), _size(sign, len(digits), exponent)


def _size(sign: int, digits: int, exponent: int) -> int:
    """Two digits to a byte, paired from the decimal point, one byte for the exponent and one for a minus."""
    return 1 + (digits + 1) // 2 + (digits % 2 == 0 and exponent % 2 == 0) + sign


def _plain(sign: int, digits: str, exponent: int) -> str:
    """Positional notation, as DynamoDB gives numbers back."""
    minus = "-" if sign else ""
    if exponent < 0:
        return f"{minus}0.{'0' * (-exponent - 1)}{digits}"
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    fraction = digits[exponent + 1 :]
    return f"{minus}{whole}.{fraction}" if fraction else minus + whole
