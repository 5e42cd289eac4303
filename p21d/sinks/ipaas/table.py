"""The one table of what the hub is not sure to be called: paths, link tables, headers, query members.

Every line has its key, its default and its override from the configuration (facts 9), laid over it in `directory.py`;
no other module holds a path. `{version}` in a path is the family's version, `{id}` and the like are filled in encoded.
"""

from __future__ import annotations

from dataclasses import dataclass

FAMILIES = {
    "sso": "sso",
    "customers": "customers",
    "products": "products",
    "transactions": "transactions",
    "employees": "employees",
    "subscriptions": "subscriptions",
}
VERSIONS = {"employees": "v1"}

AUTH = {
    "login": "{version}/Auth/Login",
    "companies": "{version}/User/{user_id}/Companies",
    "change_company": "{version}/User/ChangeCompany/{company_id}",
    "refresh": "{version}/Auth/Refresh",
}
LINKS = {
    "lookup": "{version}/External/LookupSpecial",
    "by_path": "{version}/External/LookupSpaceport/{system_id}/{table}/{external_id}",
    "external": "{version}/External/LookupExternal/{id}/{system_id}/{table}",
    "update": "{version}/External/UpdateExternalId",
    "missing": "{version}/External/Missing/{system_id}/{table}",
    "delete": "{version}/External",
}
OTHER_PATHS = {
    "reactivate": "{resource}/Reactivate/{id}",
    "subscription": "{version}/Subscription/{id}?include=persistentdata",
    "persistent_data": "{version}/Subscription/PersistentData/{id}",
}
HEADERS = {"client_id": "X-Client-Id", "company_id": "X-Company-Id", "pagination": "X-Pagination"}
QUERY = {
    "tracking_guid": "trackingGuid",
    "page": "pageNumber",
    "page_size": "pageSize",
    "parent": "id",
    "filter": "action=equals&{field}={value}",
}
CODE_PATTERN = r"(?:AUTH|AUTZ|VALD|BIZL|NFND|INTL)-\d{4}"
ID_IN_TEXT = r"(?i)\bid\s*[:=]\s*\"?([0-9a-f]{24}\b|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One kind of record in the hub: its family, paths, link table, and the permission that guards it.

    `listing` is the key of the list path in `paths`. `typed` says that several kinds of record share its link table,
    so that `type` must agree before a found record is written. `owner_member` takes the system id. `inside` and
    `inside_member` are the parent's resource and the member in which the hub shows these records.
    """

    name: str
    family: str
    path: str
    list_path: str
    link_table: str
    permission: str
    listing: str = ""
    typed: bool = False
    owner_member: str = ""
    inside: str = ""
    inside_member: str = ""


# resource, family, path, key of the list path, list path, link table, permission; paths stand under {version}/
_ROWS = (
    ("customer", "customers", "Customer", "customers", "Customers", "customer", "Customer"),
    ("company", "customers", "Customer/Company", "companies", "Customer/Companies", "customer company", "Company"),
    ("address", "customers", "Customer/Address", "", "", "Address", "Customer"),
    ("company_address", "customers", "Customer/Company/Address", "", "", "customer company address", "Company"),
    ("relationship", "customers", "", "", "", "company relationship", "Company"),
    ("location", "products", "Catalog/Location", "locations", "Catalog/Locations", "location", "Location"),
    ("product", "products", "Catalog/Product", "products", "Catalog/Products", "product", "Product"),
    ("unit", "products", "", "", "", "product", "Product"),
    ("alternate_id", "products", "", "", "", "product alternate id", "Product"),
    (
        "inventory",
        "products",
        "Catalog/Inventory",
        "inventories",
        "Catalog/Inventories",
        "product inventory",
        "Inventory",
    ),
    ("transaction", "transactions", "Transaction", "transactions", "Transactions", "transaction", "Transaction"),
    ("line", "transactions", "", "", "", "Transaction Line", "Transaction"),
    ("transaction_address", "transactions", "", "", "", "Transaction Address", "Transaction"),
    ("tax", "transactions", "", "", "", "transaction tax", "Transaction"),
    ("payment", "transactions", "", "", "", "transaction payment", "Transaction"),
    ("note", "transactions", "", "", "", "transaction comment", "Transaction"),
    (
        "tracking",
        "transactions",
        "Transaction/Tracking",
        "",
        "",
        "transaction tracking",
        "Other > Transaction Tracking",
    ),
    ("shipping_method", "transactions", "ShippingMethod", "shipping_methods", "ShippingMethods", "shipping method", ""),
)
_TYPED = frozenset({"transaction"})
_OWNER_MEMBERS = {"transaction": "system_id"}
_INSIDE = {"tracking": ("transaction", "tracking")}


def _line(
    name: str, family: str, path: str, listing: str, list_path: str, link_table: str, permission: str
) -> Resource:
    return Resource(
        name=name,
        family=family,
        path=path and "{version}/" + path,
        listing=listing,
        list_path=list_path and "{version}/" + list_path,
        link_table=link_table,
        permission=permission or name,
        typed=name in _TYPED,
        owner_member=_OWNER_MEMBERS.get(name, ""),
        inside=_INSIDE.get(name, ("", ""))[0],
        inside_member=_INSIDE.get(name, ("", ""))[1],
    )


LINES = {row[0]: _line(*row) for row in _ROWS}
SUBSCRIPTION = Resource(
    name="subscription", family="subscriptions", path="", list_path="", link_table="", permission="Subscription"
)
"""What the calls for persistent data are about; it has no records of ours."""
