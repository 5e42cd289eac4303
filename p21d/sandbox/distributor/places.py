"""Seed what stands still: companies, locations, carriers, freight codes, product groups."""

from __future__ import annotations

from p21d.sandbox.distributor.seeding import CARRIERS, COMPANIES, LOCATIONS, Seeding
from p21d.sandbox.distributor.words import CITIES, PRODUCT_GROUPS

_COMPANY_ADDRESSES = (101, 102)
_LOCATION_NAMES = ("Columbus DC", "Pittsburgh Branch", "Charlotte Branch", "Grand Rapids DC", "Rochester Branch")
_CARRIER_NAMES = ("UPS Ground", "FedEx Freight", "Our Truck", "Will Call")
_FREIGHT_CODES = (("PPD", "Prepaid"), ("PPA", "Prepaid and add"), ("COL", "Collect"), ("FREE", "Free freight"))


def seed_places(seeding: Seeding) -> None:
    """Fill company, location, freight_code, product_group and the addresses behind them."""
    _seed_companies(seeding)
    _seed_locations(seeding)
    _seed_carriers(seeding)
    _seed_product_groups(seeding)


def _seed_companies(seeding: Seeding) -> None:
    seeding.insert(
        "company",
        2,
        company_id=COMPANIES,
        company_uid=(1, 2),
        company_name=("Midwest Pipe & Supply", "Midwest Fluid Power"),
        address_id=_COMPANY_ADDRESSES,
        home_currency_id=1,
        default_sales_location_id=(10, 40),
        delete_flag="N",
        **seeding.made("company", 2),
    )
    _seed_addresses(seeding, "company", _COMPANY_ADDRESSES, ("Midwest Pipe & Supply", "Midwest Fluid Power"))


def _seed_locations(seeding: Seeding) -> None:
    count = len(LOCATIONS)
    seeding.insert(
        "location",
        count,
        location_id=tuple(LOCATIONS),
        company_id=tuple(LOCATIONS.values()),
        location_name=_LOCATION_NAMES,
        default_branch_id=[f"{number:03d}" for number in LOCATIONS],
        tax_group_id=None,
        location_type=1,
        default_oe_source_loc_id=tuple(LOCATIONS),
        shipping_location_flag="Y",
        server_time_zone_offset=0,
        delete_flag="N",
        **seeding.made("location", count),
    )
    _seed_addresses(seeding, "location", tuple(LOCATIONS), _LOCATION_NAMES, inventory_location_flag="Y")


def _seed_carriers(seeding: Seeding) -> None:
    _seed_addresses(seeding, "carrier", CARRIERS, _CARRIER_NAMES, carrier_flag="Y")
    codes = _FREIGHT_CODES * len(COMPANIES)
    count = len(codes)
    seeding.insert(
        "freight_code",
        count,
        freight_code_uid=list(range(1, count + 1)),
        company_id=[company for company in COMPANIES for _ in _FREIGHT_CODES],
        freight_cd=[code for code, _ in codes],
        freight_desc=[text for _, text in codes],
        outgoing_freight="Y",
        incoming_freight="N",
        row_status=[704] * (count - 1) + [700],
        **seeding.made("freight_code", count),
    )


def _seed_product_groups(seeding: Seeding) -> None:
    groups = PRODUCT_GROUPS * len(COMPANIES)
    count = len(groups)
    seeding.insert(
        "product_group",
        count,
        product_group_uid=list(range(1, count + 1)),
        company_id=[company for company in COMPANIES for _ in PRODUCT_GROUPS],
        product_group_id=[code for code, _ in groups],
        product_group_desc=[text for _, text in groups],
        delete_flag="N",
        **seeding.made("product_group", count),
    )


def _seed_addresses(seeding: Seeding, name: str, ids: tuple[int, ...], names: tuple[str, ...], **columns: str) -> None:
    count = len(ids)
    cities = [CITIES[number % len(CITIES)] for number in range(count)]
    seeding.insert(
        "address",
        count,
        id=ids,
        name=names,
        phys_address1=[f"{100 + 7 * number} Commerce Dr" for number in range(count)],
        phys_city=[city for city, _, _ in cities],
        phys_state=[state for _, state, _ in cities],
        phys_postal_code=[code for _, _, code in cities],
        phys_country="US",
        central_phone_number="614-555-0100",
        delete_flag="N",
        **seeding.made(f"{name}:address", count),
        **columns,
    )
