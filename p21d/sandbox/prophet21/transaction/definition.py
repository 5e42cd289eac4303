"""Describe the services: the list, the definition of Order with every field, its defaults and its basics."""

from __future__ import annotations

from typing import Any

from p21d.sandbox.prophet21.transaction.elements import HEADER, ITEMS, Element, Field, load_elements

SERVICE = "Order"
_REQUIRED = {HEADER: ("customer_id", "ship_to_id", "sales_loc_id"), ITEMS: ("oe_order_item_id", "unit_quantity")}
_DEFAULTS = {
    "order_type": "OE",
    "approved": "ON",
    "quote": "OFF",
    "validation_status": "OK",
    "packing_basis": "Partial",
}


def services_document() -> list[dict[str, Any]]:
    """Return the answer of `GET services`."""
    return [{"Name": SERVICE, "Description": "Order Entry"}]


def definition_document() -> dict[str, Any]:
    """Return the answer of `GET definition/Order`; `Required` is not to be relied on, and no length is told."""
    elements = load_elements().values()
    return {
        "Name": SERVICE,
        "Template": {"TransactionSet": _template(list(elements))},
        "TransactionDefinition": {"DataElementDefinitions": [_element(element) for element in elements]},
    }


def defaults_document() -> dict[str, Any]:
    """Return the answer of `GET defaults/Order`."""
    edits = [{"Name": name, "Value": value} for name, value in _DEFAULTS.items()]
    return {"Name": SERVICE, "DataElements": [{"Name": HEADER, "Rows": [{"Edits": edits}]}]}


def basics_document() -> dict[str, Any]:
    """Return the answer of `GET basics/Order`: key and required fields."""
    elements = load_elements()
    return {
        "Name": SERVICE,
        "DataElements": [
            {"Name": name, "KeyFields": [elements[name].key], "RequiredFields": list(required)}
            for name, required in _REQUIRED.items()
        ],
    }


def _template(elements: list[Element]) -> dict[str, Any]:
    return {
        "Name": SERVICE,
        "UseCodeValues": False,
        "IgnoreDisabled": False,
        "Transactions": [{"Status": "New", "DataElements": [_empty(element) for element in elements]}],
    }


def _empty(element: Element) -> dict[str, Any]:
    edits = [{"Name": field.name, "Value": ""} for field in element.fields.values()]
    keys = [element.key] if element.key else []
    rows = [{"Edits": edits, "RelativeDateEdits": []}]
    return {"Name": element.name, "Type": element.type, "Keys": keys, "Rows": rows}


def _element(element: Element) -> dict[str, Any]:
    window = element.name.partition(".")[2]
    return {
        "Name": element.name,
        "DatawindowName": f"d_oe_{window}",
        "BusinessObjectName": f"u_bo_oe_{window}",
        "Type": element.type,
        "KeyFields": [element.key] if element.key else [],
        "FieldDefinitions": [_field(field, element) for field in element.fields.values()],
    }


def _field(field: Field, element: Element) -> dict[str, Any]:
    return {
        "Name": field.name,
        "Label": field.label,
        "DbColumnName": field.column or None,
        "DataType": field.data_type if field.column else None,
        "Required": field.name == element.key,
        "ValidValues": list(field.values) or None,
    }
