"""The record types of the Products family."""

from __future__ import annotations

from p21d.sandbox.hub.declaration import RecordType, Unique, members

_PRODUCT = (
    "sku+ description type+ tracking_method+ default_price:n msrp:n sale_price:n tax_class barcode status+ unit "
    "allow_discounts:b allow_backorders:b in_stock_threshold:n width:n height:n depth:n weight:n kit:o "
)
_PRODUCT_ENUMS = {
    "type": ("Physical", "Virtual"),
    "tracking_method": ("Product", "Variant"),
    "status": ("Active", "Inactive"),
}

PRODUCTS = (
    RecordType(
        name="location",
        family="products",
        table="location",
        path="Catalog/Location",
        list_path="Catalog/Locations",
        scope="location",
        first_id=17,
        members=members("name+ description location_groups:o"),
        unique=(Unique(("name",)),),
        natural_key=("name",),
    ),
    RecordType(
        name="product",
        family="products",
        table="product",
        path="Catalog/Product",
        list_path="Catalog/Products",
        scope="product",
        first_id=81234,
        members=members(f"name+ {_PRODUCT}"),
        unique=(Unique(("sku",)),),
        enums=_PRODUCT_ENUMS,
        children={
            "variants": "variant",
            "inventory": "inventory",
            "categories": "product_category",
            "options": "product_option",
            "units": "unit",
            "alternate_ids": "alternate_id",
            "related_products": "related_product",
        },
        natural_key=("sku",),
    ),
    RecordType(
        name="inventory",
        family="products",
        table="product inventory",
        path="Catalog/Inventory",
        list_path="Catalog/Inventories",
        parent="product",
        scope="product/inventory",
        first_id=55010,
        members=members("parent_id:id location_id:idtext+ qty_on_hand:n qty_available:n cost:n"),
        unique=(
            Unique(
                ("parent_id", "location_id"),
                code="BIZL-1007",
                says="Inventory for location {location_id} already exists (Id: {id}), use PUT",
            ),
        ),
        references={"location_id": "location"},
        natural_key=("parent_id", "location_id"),
    ),
    RecordType(
        name="variant",
        family="products",
        table="product variant",
        parent="product",
        first_id=91234,
        members=members(f"parent_id:id! {_PRODUCT} cost:n qty_on_hand:n qty_available:n"),
        enums=_PRODUCT_ENUMS,
    ),
    RecordType(
        name="product_category",
        family="products",
        table="product category",
        parent="product",
        members=members("category_id:i! category_name"),
    ),
    RecordType(
        name="product_option",
        family="products",
        table="product option",
        parent="product",
        members=members("option_name type order:i values:o"),
    ),
    RecordType(
        # Units share the product's link table, so a unit's external id can collide with an item's.
        name="unit",
        family="products",
        table="product",
        parent="product",
        first_id=7000001,
        members=members("name conversion:n default_price:n msrp:n sale_price:n"),
        natural_key=("parent_id", "name"),
    ),
    RecordType(
        name="alternate_id",
        family="products",
        table="product alternate id",
        parent="product",
        members=members("sku unit alternate_id_type_id:i alternate_id description"),
        unique=(Unique(("alternate_id", "unit"), code="BIZL-1008"),),
    ),
    RecordType(
        name="related_product",
        family="products",
        parent="product",
        members=members("product_id:i! product_sku is_variant:b! related_sku related_id:i! related_type"),
    ),
)
