"""Amounts of money as platforms show them ('$5.00', '1.234,50 €', 'PLN 20.00') to a number and an ISO 4217 code."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

# Signs of currencies as YouTube and donation services write them; a bare dollar is American, a bare yen Japanese there.
# 'kr', '¤' and the like name no single currency and are left out.
SIGNS = {
    "$": "USD", "US$": "USD", "A$": "AUD", "AU$": "AUD", "CA$": "CAD", "C$": "CAD", "HK$": "HKD", "MX$": "MXN",
    "NT$": "TWD", "NZ$": "NZD", "R$": "BRL", "S$": "SGD", "€": "EUR", "£": "GBP", "¥": "JPY", "￥": "JPY",
    "JP¥": "JPY", "CN¥": "CNY", "₹": "INR", "₩": "KRW", "￦": "KRW", "₪": "ILS", "₫": "VND", "₱": "PHP",
    "₴": "UAH", "₺": "TRY", "₽": "RUB", "₸": "KZT", "฿": "THB", "zł": "PLN", "Kč": "CZK", "Ft": "HUF",
    "lei": "RON", "₦": "NGN", "₡": "CRC", "₲": "PYG", "S/": "PEN",
}  # fmt: skip
CODES = frozenset(
    re.findall(
        "[A-Z]{3}",
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD "
        "CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD "
        "GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT "
        "LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR "
        "NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP "
        "STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD "
        "XOF XPF YER ZAR ZMW ZWL ",
    )
)
_NUMBER = re.compile(r"\d(?:[\d.,'’٫٬ \u00a0\u202f]*\d)?")
_FIRST_NUMBER = re.compile(r"\d[\d,.]{0,8}")
_LARGEST = Decimal(10) ** 14  # what decimal(18, 4) holds


@lru_cache(maxsize=4096)
def parse_money(text: str) -> tuple[Decimal | None, str | None]:
    """The amount and the currency of a text; None for each that cannot be told.

    The last of `.` and `,` is the decimal point unless three digits follow it, as in '1,000' and '₩10.000'; both kinds
    together make the last one the point.
    """
    plain = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text[:100])
    found = _NUMBER.search(plain)
    if found is None:
        return None, None
    amount = _amount(found[0])
    if amount is not None and plain[: found.start()].strip().startswith(("-", "−")):
        amount = -amount
    around = [part.strip(" \u00a0\u202f\u200e\u200f-−+") for part in (plain[: found.start()], plain[found.end() :])]
    return amount, next((code for code in map(currency_of, around) if code), None)


def currency_of(sign: str) -> str | None:
    """The ISO 4217 code a sign or code stands for, None when it stands for none or for several."""
    return SIGNS.get(sign) or (sign.upper() if sign.upper() in CODES else None)


def _amount(number: str) -> Decimal | None:
    digits = re.sub(r"[^\d.,]", "", number.replace("٫", ".").replace("٬", ","))
    at = max(digits.rfind("."), digits.rfind(","))
    behind = len(digits) - at - 1
    kinds = {c for c in digits if c in ".,"}
    is_point = at >= 0 and (len(kinds) == 2 or (behind != 3 and digits.count(digits[at]) == 1))
    whole, fraction = (digits[:at], digits[at + 1 :]) if is_point else (digits, "")
    value = Decimal(f"{re.sub(r'[.,]', '', whole) or '0'}.{fraction or '0'}")
    return value if value < _LARGEST else None


def first_number(text: str) -> int | None:
    """The first number of a sentence ('Gifted 1,000 memberships')."""
    found = _FIRST_NUMBER.search(text)
    return int(re.sub(r"\D", "", found[0])) if found else None
