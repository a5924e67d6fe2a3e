"""Amounts of money as platforms show them ('$5.00', '1.234,50 €', 'PLN 20.00') to a number and an ISO 4217 code.

Currencies and their signs are those of Unicode's CLDR, through babel. The language an amount is written in is not
stated, so its separators are told by their places.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache

from babel import Locale
from babel.core import get_global
from babel.numbers import get_currency_precision, get_territory_currencies

# The locales whose signs are known; English first, as sites write it: a bare dollar is American, a bare yen Japanese.
LOCALES = ("en", "ar", "bg", "cs", "da", "de", "el", "en_AU", "en_CA", "en_NG", "en_SG", "es", "es_AR", "es_CO",
           "es_CR", "es_PE", "es_PY", "fil", "fr", "he", "hi", "hu", "id", "it", "ja", "kk", "ko", "ms", "nb", "nl",
           "pl", "pt", "pt_BR", "ro", "ru", "sv", "th", "tr", "uk", "vi", "zh", "zh_Hant")  # fmt: skip
# Signs that CLDR has in its narrow form only, which babel does not give.
_NARROW = {"S$": "SGD", "lei": "RON", "₲": "PYG"}
# Money older than any row of the lake.
_SINCE, _UNTIL = date(2000, 1, 1), date(2100, 1, 1)
_NO_COUNTRY, _NO_CURRENCY = "ZZ", "XXX"  # ZZ holds metals, units of account and codes for tests

_NUMBER = re.compile(r"\d(?:[\d.,'’٫٬ \u00a0\u202f]*\d)?")
_FIRST_NUMBER = re.compile(r"\d[\d,.]{0,8}")
_AROUND = " \u00a0\u202f\u200e\u200f-−+"
_LARGEST = Decimal(10) ** 14  # what decimal(18, 4) holds


@cache
def currency_codes() -> frozenset[str]:
    """ISO 4217 codes of the currencies of any country since 2000."""
    countries = get_global("territory_currencies").keys() - {_NO_COUNTRY}
    codes = (
        get_territory_currencies(country, start_date=_SINCE, end_date=_UNTIL, non_tender=True) for country in countries
    )
    return frozenset(code for each in codes for code in each if code != _NO_CURRENCY)


@cache
def _signs() -> dict[str, str]:
    """The currency of each sign: English ones as in English, others where all languages mean one by it."""
    meanings: dict[str, set[str]] = defaultdict(set)
    english: dict[str, str] = {}
    for locale in LOCALES:
        for code, written in Locale.parse(locale).currency_symbols.items():
            sign = _plain(written)
            if code in currency_codes() and sign != code:
                meanings[sign].add(code)
                if locale == "en":
                    english[sign] = code
    certain = {sign: next(iter(codes)) for sign, codes in meanings.items() if len(codes) == 1}
    return {**_NARROW, **certain, **english}


@lru_cache(maxsize=4096)
def parse_money(text: str) -> tuple[Decimal | None, str | None]:
    """The amount and the currency of a text; None for each that cannot be told.

    The last of `.` and `,` is the decimal point unless three digits follow it, as in '1,000' and '₩10.000'; both kinds
    together make the last one the point. A currency with three decimal places is shown with all of them: 'KWD 1.500'.
    """
    plain = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text[:100])
    number = _NUMBER.search(plain)
    if number is None:
        return None, None
    before, after = plain[: number.start()], plain[number.end() :]
    currency = currency_of(before) or currency_of(after)
    amount = _amount(number[0], get_currency_precision(currency) if currency else 2)
    if amount is not None and before.strip().startswith(("-", "−")):
        amount = -amount
    return amount, currency


@lru_cache(maxsize=4096)
def currency_of(sign: str) -> str | None:
    """The ISO 4217 code a sign or code stands for, None when it stands for none or for several."""
    sign = _plain(sign)
    return sign.upper() if sign.upper() in currency_codes() else _signs().get(sign) if sign else None


def first_number(text: str) -> int | None:
    """The first number of a sentence ('Gifted 1,000 memberships')."""
    number = _FIRST_NUMBER.search(text)
    return int(re.sub(r"\D", "", number[0])) if number else None


def _plain(sign: str) -> str:
    """A sign without what stands around it; of the full-width forms the usual ones."""
    return unicodedata.normalize("NFKC", sign).strip(_AROUND)


def _amount(number: str, decimal_places: int) -> Decimal | None:
    digits = re.sub(r"[^\d.,]", "", number.replace("٫", ".").replace("٬", ","))
    at = max(digits.rfind("."), digits.rfind(","))
    behind = len(digits) - at - 1
    kinds = {c for c in digits if c in ".,"}
    may_be_point = behind != 3 or decimal_places == 3
    is_point = at >= 0 and (len(kinds) == 2 or (may_be_point and digits.count(digits[at]) == 1))
    whole, fraction = (digits[:at], digits[at + 1 :]) if is_point else (digits, "")
    value = Decimal(f"{re.sub(r'[.,]', '', whole) or '0'}.{fraction or '0'}")
    return value if value < _LARGEST else None
