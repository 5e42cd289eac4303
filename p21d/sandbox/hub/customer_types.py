"""The record types of the Customers family."""

from __future__ import annotations

from p21d.sandbox.hub.declaration import RecordType, Unique, members

_ADDRESS = (
    "first_name+ last_name+ company phone_number address_1+ address_2 address_3 city+ region+ postal_code+ country+ "
    "is_primary_billing:b is_primary_shipping:b"
)

CUSTOMERS = (
    RecordType(
        name="customer",
        family="customers",
        table="customer",
        path="Customer",
        list_path="Customers",
        scope="customer",
        first_id=30211,
        members=members(
            "customer_number+ first_name last_name email_address+ company comment category_id:i "
            "created_datetime:d! updated_datetime:d"
        ),
        unique=(Unique(("customer_number",)),),
        one_of=("first_name", "last_name"),
        children={"addresses": "customer_address", "relationships": "customer_relationship"},
        natural_key=("customer_number",),
    ),
    RecordType(
        name="company",
        family="customers",
        table="customer company",
        path="Customer/Company",
        list_path="Customer/Companies",
        scope="customer/company",
        first_id=4411,
        members=members(
            "name+ department description email_address phone_number fax_number url account_number tax_id_number "
            "parent_company_id:idtext"
        ),
        unique=(Unique(("name",)),),
        references={"parent_company_id": "company"},
        children={"addresses": "company_address", "relationships": "company_relationship"},
        natural_key=("name",),
    ),
    RecordType(
        name="customer_address",
        family="customers",
        table="address",
        path="Customer/Address",
        parent="customer",
        scope="customer/address",
        first_id=77120,
        members=members(_ADDRESS),
        country="country",
        natural_key=("parent_id", "address_1", "address_2", "postal_code", "company"),
    ),
    RecordType(
        name="company_address",
        family="customers",
        table="customer company address",
        path="Customer/Company/Address",
        parent="company",
        scope="customer/company/address",
        first_id=78120,
        members=members(_ADDRESS),
        country="country",
        natural_key=("parent_id", "address_1", "address_2", "postal_code", "company"),
    ),
    RecordType(
        name="customer_relationship",
        family="customers",
        table="customer relationship",
        parent="customer",
        members=members("related_to_id:id+ type"),
    ),
    RecordType(
        name="company_relationship",
        family="customers",
        table="company relationship",
        parent="company",
        members=members("related_to_id:id+ type"),
    ),
)
