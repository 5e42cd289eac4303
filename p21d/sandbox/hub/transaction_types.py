"""The record types of the Transactions family; an invoice is a transaction of type Invoice."""

from __future__ import annotations

from p21d.sandbox.hub.declaration import Named, RecordType, Unique, members

_POSTAL = "address_1 address_2 address_3 city region postal_code country"
_TRANSACTION_ADDRESS = (
    "shipping_method shipping_method_description first_name last_name shipping_amount:n! type ship_date:d phone_number "
    f"company {_POSTAL} is_primary_billing:b! is_primary_shipping:b! "
)
_ORDER_TYPES = ("Order", "Shipment", "Invoice", "Hold", "Quote", "Ticket", "Return", "Validated Return", "Job")
_ORDER_STATUSES = ("Pending", "Complete", "Cancelled", "Shipped", "Backorder", "Partial Refunded", "Refunded")
_METHOD = Named("shipping_method", "name", with_case=True)

TRANSACTIONS = (
    RecordType(
        name="transaction",
        family="transactions",
        table="transaction",
        path="Transaction",
        list_path="Transactions",
        scope="transaction",
        first_id=149049,
        members=members(
            "system_id:system+! transaction_parent_id:id transaction_number customer_id:id company_id:id email_address "
            "type+ status+ discount_amount:n! tax_amount:n! shipping_amount:n! subtotal:n! total:n! total_qty:n! "
            "created_datetime:d! updated_datetime:d"
        ),
        unique=(Unique(("transaction_number",)),),
        enums={"type": _ORDER_TYPES, "status": _ORDER_STATUSES},
        references={"transaction_parent_id": "transaction", "customer_id": "customer", "company_id": "company"},
        children={
            "lines": "line",
            "taxes": "tax",
            "payments": "payment",
            "tracking": "tracking",
            "addresses": "transaction_address",
            "notes": "note",
        },
        natural_key=("transaction_number", "type"),
    ),
    RecordType(
        name="line",
        family="transactions",
        table="transaction line",
        parent="transaction",
        first_id=620001,
        members=members(
            "parent_id:id sequence_number:i! status+ sku description type+ qty:n! qty_shipped:n! unit_price:n! "
            "extended_price:n! original_unit_price:n! discount_amount:n! discount_percent:n! tax_percent:n! "
            "estimated_tax_amount:n! weight:n address:o line_info:o options:o"
        ),
        objects={"address": "line_address"},
        named={"sku": Named("product", "sku")},
        natural_key=("parent_id", "sequence_number"),
    ),
    RecordType(
        name="tax",
        family="transactions",
        table="transaction tax",
        parent="transaction",
        first_id=71,
        # `orginal_amount` is the hub's own spelling.
        members=members("authority amount:n! orginal_amount:n! tax_percent:n!"),
        natural_key=("parent_id", "authority"),
    ),
    RecordType(
        name="payment",
        family="transactions",
        table="transaction payment",
        parent="transaction",
        members=members("method amount:n! status description method_info:o"),
        named={"method": Named("payment_method", "name", with_case=True)},
    ),
    RecordType(
        name="tracking",
        family="transactions",
        table="transaction tracking",
        path="Transaction/Tracking",
        own_read=False,
        parent="transaction",
        scope="transaction/tracking",
        first_id=10001,
        members=members("shipping_method shipping_method_description tracking_number cost:n"),
        named={"shipping_method": _METHOD},
        natural_key=("parent_id", "shipping_method", "tracking_number"),
    ),
    RecordType(
        name="transaction_address",
        family="transactions",
        table="transaction address",
        parent="transaction",
        first_id=88011,
        members=members(f"{_TRANSACTION_ADDRESS} customer_id:id"),
        named={"shipping_method": _METHOD},
        references={"customer_id": "customer"},
        natural_key=("parent_id", "type", "address_1", "postal_code"),
    ),
    RecordType(
        name="line_address",
        family="transactions",
        members=members(f"{_TRANSACTION_ADDRESS} customer_id:i!"),
        named={"shipping_method": _METHOD},
    ),
    RecordType(
        name="note",
        family="transactions",
        table="transaction comment",
        parent="transaction",
        members=members("sequence_number:i! type text note_created_date_time:d is_public:b!"),
    ),
    RecordType(
        name="shipping_method",
        family="transactions",
        table="shipping method",
        path="ShippingMethod",
        list_path="ShippingMethods",
        scope="shipping/method",
        first_id=501,
        members=members("name+ description"),
        unique=(Unique(("name",), with_case=True),),
        natural_key=("name",),
    ),
    RecordType(
        name="payment_method",
        family="transactions",
        table="payment method",
        path="PaymentMethod",
        list_path="PaymentMethods",
        scope="payment/method",
        first_id=601,
        members=members("name+ description payment_type"),
        unique=(Unique(("name",), with_case=True),),
        natural_key=("name",),
    ),
)
