"""What must hold before an order is saved: required fields, the dates, the company, and the site's own rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from p21d.sandbox.prophet21.transaction.header import Header
from p21d.sandbox.prophet21.transaction.lines import Lines
from p21d.sandbox.prophet21.transaction.masters import Masters
from p21d.sandbox.prophet21.transaction.request import TransactionRefused

if TYPE_CHECKING:
    from p21d.sandbox.prophet21.database import Database
    from p21d.sandbox.prophet21.settings import Settings

# In this order; P21 does not say which column the text of a missing ship-to means.
_REQUIRED = {
    "customer_id": "Customer ID is required",
    "address_id": "This column is required.",
    "location_id": "Sales Location ID is required",
    "source_location_id": "Jurisdiction ID for Order Header Tax is required",
}


class Rules:
    """Check one order as it stands in the window; raise `TransactionRefused` with P21's words."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    def check(self, header: Header, lines: Lines) -> None:
        """Check header, lines and what the site wants of this customer."""
        self._check_state(header)
        self._check_required(header)
        if header.stored is None or "requested_date" in header.typed or "order_date" in header.typed:
            self._check_dates(header)
        self._check_company(header)
        self._check_lines(lines)
        if header.stored is None:
            self._check_customer(header)

    def _check_state(self, header: Header) -> None:
        stored = header.stored or {}
        number = stored.get("order_no")
        if stored.get("completed") == "T":
            raise TransactionRefused(f"Order {number} is open in another window and cannot be changed.")
        if stored.get("completed") == "Y":
            raise TransactionRefused(f"Order {number} is complete and cannot be changed.")
        if stored.get("delete_flag") == "Y":
            raise TransactionRefused(f"Order {number} has been deleted.")

    def _check_required(self, header: Header) -> None:
        for column, words in _REQUIRED.items():
            if header.get(column) is None:
                raise TransactionRefused(words)
        for column in sorted(self._settings.required_order_columns):
            if header.get(column) is None:
                raise TransactionRefused(f"{column} is required")

    def _check_dates(self, header: Header) -> None:
        today = f"{self._database.time.local_now().date().isoformat()}T00:00:00"
        ordered, requested = header.get("order_date") or today, header.get("requested_date")
        if requested is None or requested <= ordered:
            raise TransactionRefused("Requested Date must be later than Order Date")

    def _check_company(self, header: Header) -> None:
        company, masters = header.get("company_id"), Masters(self._database)
        customer = header.get("customer_id")
        if masters.customer(customer, company) is None:
            raise TransactionRefused(f"Customer {customer} does not exist for company {company}")
        if "address_id" in header.typed and masters.ship_to(header.get("address_id"), customer, company) is None:
            raise TransactionRefused(f"Invalid ship_to_id value: {header.get('address_id')}")

    def _check_lines(self, lines: Lines) -> None:
        if not lines.all:
            raise TransactionRefused("At least one line item is required")
        for line in lines.all:
            if line.item is None and line.stored is None:
                raise TransactionRefused("Item ID is required")
            if line.get("unit_quantity") is None:
                raise TransactionRefused("Quantity is required")

    def _check_customer(self, header: Header) -> None:
        customer, po_no = header.get("customer_id"), header.get("po_no")
        rules = self._settings.customer_rules
        wanted = rules.get("*", set()) | rules.get(str(customer), set())
        if "credit_refused" in wanted:
            raise TransactionRefused(f"Customer {customer} is on credit hold. The order cannot be saved.")
        if "po_required" in wanted and not po_no:
            raise TransactionRefused("Customer PO Number is required")
        if "duplicate_po_refused" in wanted and po_no and self.repeats_po(header):
            raise TransactionRefused(f"PO Number {po_no} has already been used for customer {customer}.")

    def repeats_po(self, header: Header) -> bool:
        """Say whether this customer has an order with this PO number already."""
        wanted = {"customer_id": header.get("customer_id"), "po_no": header.get("po_no")}
        return wanted["po_no"] is not None and self._database.count("oe_hdr", wanted) > 0
