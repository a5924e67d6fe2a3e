"""Amounts as platforms show them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_lake.sources.reading.money import currency_codes, currency_of, parse_money


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("$5.00", "5", "USD"),
        ("US$5", "5", "USD"),
        ("A$10.00", "10", "AUD"),
        ("CA$5.99", "5.99", "CAD"),
        ("R$20,00", "20", "BRL"),
        ("NT$1,500.00", "1500", "TWD"),
        ("€1.234,50", "1234.5", "EUR"),
        ("1.234,50 €", "1234.5", "EUR"),
        ("1\u202f234,56\u00a0€", "1234.56", "EUR"),
        ("¥500", "500", "JPY"),
        ("￥1,000", "1000", "JPY"),
        ("₩10,000", "10000", "KRW"),
        ("₫250.000", "250000", "VND"),
        ("₹1,00,000.00", "100000", "INR"),
        ("PLN 20.00", "20", "PLN"),
        ("CHF 1'000.50", "1000.5", "CHF"),
        ("20,00 zł", "20", "PLN"),
        ("-$3.50", "-3.5", "USD"),
        ("٥٫٥٠ USD", "5.5", "USD"),
        ("$1.234.567", "1234567", "USD"),
        ("20 kr", "20", None),
        ("☃ 7.25", "7.25", None),
        ("KWD 1.500", "1.5", "KWD"),
        ("1.234,500 TND", "1234.5", "TND"),
        ("KWD 1,234,567", "1234567", "KWD"),
        ("250 元", "250", "CNY"),
        ("Rp 50.000", "50000", "IDR"),
        ("5,00 $US", "5", "USD"),
        ("￦10,000", "10000", "KRW"),
        ("10,00\u00a0лв.", "10", "BGN"),
    ],
)
def test_an_amount_and_its_currency(text: str, amount: str, currency: str | None) -> None:
    assert parse_money(text) == (Decimal(amount), currency)


SIGNS = {
    "$": "USD", "US$": "USD", "A$": "AUD", "AU$": "AUD", "CA$": "CAD", "C$": "CAD", "HK$": "HKD", "MX$": "MXN",
    "NT$": "TWD", "NZ$": "NZD", "R$": "BRL", "S$": "SGD", "€": "EUR", "£": "GBP", "¥": "JPY", "￥": "JPY",
    "JP¥": "JPY", "CN¥": "CNY", "₹": "INR", "₩": "KRW", "￦": "KRW", "₪": "ILS", "₫": "VND", "₱": "PHP",
    "₴": "UAH", "₺": "TRY", "₽": "RUB", "₸": "KZT", "฿": "THB", "zł": "PLN", "Kč": "CZK", "Ft": "HUF",
    "lei": "RON", "₦": "NGN", "₡": "CRC", "₲": "PYG", "S/": "PEN",
}  # fmt: skip


def test_signs_are_those_that_youtube_and_donation_services_write() -> None:
    assert {sign: currency_of(sign) for sign in SIGNS} == SIGNS


@pytest.mark.parametrize("sign", ["kr", "¤", "", " ", "XXX", "wow"])
def test_a_sign_of_no_single_currency_is_none(sign: str) -> None:
    assert currency_of(sign) is None


def test_codes_are_of_money_in_use_since_2000() -> None:
    assert {"EUR", "DEM", "VED", "XCG", "USD"} <= currency_codes()
    assert not {"XAU", "XTS", "XXX", "RUR", "DDM"} & currency_codes()
    assert len(currency_codes()) < 230


@pytest.mark.parametrize("text", ["", "free", "$", "½"])
def test_what_is_no_amount_is_none(text: str) -> None:
    assert parse_money(text)[0] is None


@given(st.text(max_size=30))
def test_no_text_raises_and_no_amount_is_too_large(text: str) -> None:
    amount, currency = parse_money(text)
    assert amount is None or abs(amount) < 10**14
    assert currency is None or currency in currency_codes()
