from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from p21d.plugin import Skip
from p21d.testing import check_entity, related_rows, row_of
from plugins.product import ENTITY, UNIT, Item, Unit


def item(**values):
    return row_of(Item, **{"inv_mast_uid": 12, "item_id": "VALVE-20", "item_desc": "Ball valve"} | values)


def unit(uid, name, size="1.000000000", **values):
    fixed = {"item_uom_uid": uid, "inv_mast_uid": 12, "unit_of_measure": name, "unit_size": Decimal(size)}
    return row_of(Unit, **fixed | values)


def read(row=None, *, units=()):
    [record] = check_entity(ENTITY, row or item(), related={UNIT: units})
    return record


def test_an_item_with_nothing_but_a_name_has_what_the_hub_requires():
    assert read().body == {
        "sku": "VALVE-20",
        "name": "Ball valve",
        "type": "Physical",
        "tracking_method": "Product",
        "status": "Active",
    }


def test_the_columns_go_to_their_members():
    row = item(
        extended_desc="Brass",
        item_sales_tax_class="TAXABLE",
        default_selling_unit="EA",
        length=Decimal(3),
        width=Decimal(2),
        height=Decimal(1),
        weight=Decimal("0.42"),
    )
    body = read(row).body
    assert (body["description"], body["tax_class"], body["unit"]) == ("Brass", "TAXABLE", "EA")
    assert [body[member] for member in ("depth", "width", "height", "weight")] == [3, 2, 1, Decimal("0.42")]


def test_a_leading_blank_of_an_item_id_is_cut_off():
    record = read(item(item_id=" VALVE-20 "))
    assert (record.external_id["item_id"], record.body["sku"]) == ("VALVE-20", "VALVE-20")


def test_an_item_id_keeps_its_odd_letters():
    assert read(item(item_id='1/2" Ø +#&')).body["sku"] == '1/2" Ø +#&'


def test_a_blank_item_id_is_skipped():
    assert ENTITY.records(item(item_id="  "), related_rows()) == Skip("no item id")


def test_an_item_without_a_description_is_named_by_its_id():
    assert read(item(item_desc=None)).body["name"] == "VALVE-20"


@pytest.mark.parametrize("flags", [{"inactive": "Y"}, {"delete_flag": "Y"}])
def test_an_inactive_or_deleted_item_is_inactive(flags):
    assert read(item(**flags)).body["status"] == "Inactive"


def test_a_deactivated_product_is_sent_as_inactive():
    assert ENTITY.route.inactive == {"status": "Inactive"}


def test_prices_go_to_the_three_prices_of_the_hub():
    body = read(item(price1=Decimal("12.500000000"), price2=Decimal(15), price3=Decimal("9.99"))).body
    assert [body[member] for member in ("default_price", "msrp", "sale_price")] == [
        Decimal("12.5"),
        15,
        Decimal("9.99"),
    ]


def test_a_price_of_zero_is_no_sale_price():
    body = read(item(price1=Decimal("0E-9"), price2=Decimal("0.00"), price3=Decimal(0))).body
    assert body["default_price"] == 0
    assert not {"msrp", "sale_price"} & body.keys()


def test_one_amount_has_one_json():
    bodies = [read(item(price1=Decimal(text))).body for text in ("40", "40.000000000", "4E+1")]
    encode = msgspec.json.Encoder(decimal_format="number").encode
    assert len({encode(body) for body in bodies}) == 1


def test_the_bar_code_is_the_upc_id():
    assert read(item(upc_or_ean="U", upc_or_ean_id="0012345678905 ")).body["barcode"] == "0012345678905"


def test_a_code_kept_in_the_type_column_is_the_bar_code():
    assert read(item(upc_or_ean="0012345678905")).body["barcode"] == "0012345678905"


def test_a_type_without_a_code_is_no_bar_code():
    assert "barcode" not in read(item(upc_or_ean="U")).body


def test_the_base_unit_stands_in_for_the_selling_unit():
    assert read(item(base_unit="FT ")).body["unit"] == "FT"


def test_units_are_children_by_name():
    [each, case] = read(units=[unit(1, "EA"), unit(2, "CS ", "12.000000000")]).children["units"]
    assert (each.id, each.body) == ("EA", {"name": "EA", "conversion": 1})
    assert (case.id, case.body) == ("CS", {"name": "CS", "conversion": 12})


def test_deleted_and_nameless_units_are_left_out():
    assert read(units=[unit(1, "EA", delete_flag="Y"), unit(2, None)]).children == {"units": []}


def test_a_unit_that_comes_twice_is_sent_once():
    assert [child.id for child in read(units=[unit(1, "EA"), unit(2, "EA ")]).children["units"]] == ["EA"]


def test_a_unit_without_a_size_has_no_conversion():
    [child] = read(units=[unit(1, "EA", unit_size=None)]).children["units"]
    assert child.body == {"name": "EA"}
