"""Seed customers with their addresses and ship-tos.

A customer's own address is also its ship-to (same id); some have further ones. Every 25th customer exists in both
companies under one id, and shares its address.
"""

from __future__ import annotations

from random import Random
from typing import Any

from p21d.sandbox.distributor.seeding import CARRIERS, FIRST_CUSTOMER, FIRST_EXTRA_SHIP_TO, Seeding, flags, money
from p21d.sandbox.distributor.words import (
    CITIES,
    COMPANY_FORMS,
    COMPANY_TRADES,
    COMPANY_WORDS,
    CREDIT_STATUSES,
    DELIVERY_NOTES,
    STREETS,
    TERMS,
)

_SECOND_COMPANY_EVERY = 7
_BOTH_COMPANIES_EVERY = 25


def company_of(index: int) -> str:
    """Return the P21 company of the customer with this index, counted from 0."""
    return "02" if index % _SECOND_COMPANY_EVERY == _SECOND_COMPANY_EVERY - 1 else "01"


def ship_tos_of(index: int) -> list[int]:
    """Return the ship-to ids of a customer: its own, and one or two more for two of three customers."""
    own = FIRST_CUSTOMER + index
    return [own, *(FIRST_EXTRA_SHIP_TO + index * 2 + extra for extra in range(index % 3))]


def customer_name(index: int) -> str:
    """Return the name of the customer with this index; numbers keep larger sets apart."""
    word = COMPANY_WORDS[index % len(COMPANY_WORDS)]
    trade = COMPANY_TRADES[index // 3 % len(COMPANY_TRADES)]
    form = COMPANY_FORMS[index // 5 % len(COMPANY_FORMS)]
    number = f" #{index // 300 + 1}" if index >= 300 else ""  # names start over after 300
    return f"{word} {trade} {form}{number}"


def seed_customers(seeding: Seeding) -> None:
    """Fill customer, ship_to and address."""
    indexes = list(range(seeding.customers))
    rows = [(index, company_of(index)) for index in indexes]
    rows += [(index, "02") for index in indexes if index % _BOTH_COMPANIES_EVERY == 1 and company_of(index) == "01"]
    _seed_masters(seeding, rows)
    ship_tos = [(ship_to, index) for index in indexes for ship_to in ship_tos_of(index)]
    _seed_ship_tos(seeding, ship_tos)
    _seed_addresses(seeding, ship_tos)


def _seed_masters(seeding: Seeding, rows: list[tuple[int, str]]) -> None:
    rng, count = seeding.random("customers"), len(rows)
    seeding.insert(
        "customer",
        count,
        company_id=[company for _, company in rows],
        customer_id=[FIRST_CUSTOMER + index for index, _ in rows],
        customer_uid=list(range(1, count + 1)),
        customer_id_string=[str(FIRST_CUSTOMER + index) for index, _ in rows],
        customer_name=[customer_name(index) for index, _ in rows],
        customer_type_cd=1203,
        taxable_flag=flags(rng, count, one_in=2),
        terms_id=rng.choices(TERMS, k=count),
        credit_status=rng.choices(CREDIT_STATUSES, k=count),
        credit_limit=rng.choices([money(500_000), money(2_500_000), money(0)], k=count),
        credit_limit_used=rng.choices([money(0), money(123_456)], k=count),
        salesrep_id=rng.choices(["1001", "1002", "1003", None], k=count),
        currency_id=1,
        default_branch_id=rng.choices(["010", "020"], k=count),
        default_disposition="B",
        pricing_method_cd=1,
        class_1id=rng.choices(["RETAIL", "OEM", None], k=count),
        po_no_required="N",
        web_enabled_flag=flags(rng, count, one_in=2),
        legacy_id=rng.choices([None, "OLD-77"], k=count),
        delete_flag=flags(rng, count, one_in=40),
        date_acct_opened=seeding.past("customers:opened", count, whole_days=True),
        created_by="admin",
        **seeding.made("customers", count, with_old=True),
    )


def _seed_ship_tos(seeding: Seeding, ship_tos: list[tuple[int, int]]) -> None:
    rng, count = seeding.random("ship_tos"), len(ship_tos)
    seeding.insert(
        "ship_to",
        count,
        company_id=[company_of(index) for _, index in ship_tos],
        ship_to_id=[ship_to for ship_to, _ in ship_tos],
        customer_id=[FIRST_CUSTOMER + index for _, index in ship_tos],
        default_branch=rng.choices(["010", "020"], k=count),
        preferred_location_id=[40 if company_of(index) == "02" else 10 for _, index in ship_tos],
        default_carrier_id=rng.choices([*CARRIERS, None], k=count),
        freight_code_uid=rng.choices([1, 2, 3, None], k=count),
        terms_id=rng.choices(TERMS, k=count),
        packing_basis="Partial",
        pick_ticket_type="PT",
        delivery_instructions=rng.choices(DELIVERY_NOTES, k=count),
        invoice_type="IN",
        delete_flag=flags(rng, count, one_in=60),
        created_by="admin",
        **seeding.made("ship_tos", count),
    )


def _seed_addresses(seeding: Seeding, ship_tos: list[tuple[int, int]]) -> None:
    rng, count = seeding.random("addresses"), len(ship_tos)
    own = [ship_to < FIRST_EXTRA_SHIP_TO for ship_to, _ in ship_tos]
    seeding.insert(
        "address",
        count,
        id=[ship_to for ship_to, _ in ship_tos],
        name=[
            customer_name(index) + ("" if is_own else " - Yard")
            for (_, index), is_own in zip(ship_tos, own, strict=True)
        ],
        corp_address_id=[FIRST_CUSTOMER + index for _, index in ship_tos],
        customer=["Y" if is_own else "N" for is_own in own],
        shipping_address="Y",
        url=rng.choices([None, "https://www.example.com/?a=1&b=2"], k=count),
        email_address=[f"office{ship_to}@example.com" if ship_to % 4 else None for ship_to, _ in ship_tos],
        central_phone_number=[f"({200 + index % 700}) 555-{index % 10_000:04d}" for _, index in ship_tos],
        delete_flag=flags(rng, count, one_in=80),
        **seeding.made("addresses", count),
        **_streets(rng, count, "mail"),
        **_streets(rng, count, "phys"),
    )


def _streets(rng: Random, count: int, kind: str) -> dict[str, Any]:
    cities = rng.choices(CITIES, k=count)
    streets = rng.choices(STREETS, k=count)
    return {
        f"{kind}_address1": [f"{10 + number % 9000} {street}" for number, street in enumerate(streets)],
        f"{kind}_address2": rng.choices([None, None, "Suite 200", "c/o Receiving, Dock #4"], k=count),
        f"{kind}_city": [city for city, _, _ in cities],
        f"{kind}_state": [state for _, state, _ in cities],
        f"{kind}_postal_code": [code for _, _, code in cities],
        f"{kind}_country": rng.choices(["US", "US", "USA", None], k=count),
    }
