"""The elements and fields of the Order window, as `order_window.txt` declares them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from p21d.sandbox.prophet21.transaction.request import TransactionRefused

HEADER = "TABPAGE_1.order"
ITEMS = "TP_ITEMS.items"
SHIP_TO = "TP_SHIPTO.shipto"


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of an element; `column` is `table.column`, empty where it is computed; `values` are label -> code."""

    name: str
    column: str
    data_type: str
    label: str
    length: int | None = None
    disabled: bool = False
    values: dict[str, str] = field(default_factory=dict)

    @property
    def table(self) -> str:
        """Return the table its column lies in."""
        return self.column.partition(".")[0]

    @property
    def stored_as(self) -> str:
        """Return the name of its column without the table."""
        return self.column.partition(".")[2]


@dataclass(frozen=True)
class Element:
    """One element of the window; `key` is the key field it declares, empty without one."""

    name: str
    type: str
    key: str
    fields: dict[str, Field] = field(default_factory=dict)

    def find(self, name: str) -> Field:
        """Return a field by its exact name; raise `TransactionRefused` for any other."""
        if name not in self.fields:
            raise TransactionRefused(f"Invalid column name: {name}")
        return self.fields[name]


@lru_cache(maxsize=1)
def load_elements() -> dict[str, Element]:
    """Return every element of the Order window by name."""
    elements: dict[str, Element] = {}
    for line in (Path(__file__).parent / "order_window.txt").read_text(encoding="ascii").splitlines():
        if line.startswith("#"):
            continue
        if not line.startswith(" "):
            name, kind, key = line.split()
            elements[name] = Element(name, kind, key.strip("-"))
        else:
            found = _field(line)
            elements[name].fields[found.name] = found
    return elements


def find_element(name: str) -> Element:
    """Return an element by its exact name; raise `TransactionRefused` for any other."""
    if name not in load_elements():
        raise TransactionRefused(f"Invalid data element name: {name}")
    return load_elements()[name]


def _field(line: str) -> Field:
    told, _, values = line.partition(" = ")
    name, column, kind, label = told.split(maxsplit=3)
    data_type, _, length = kind.rstrip("!").partition(":")
    return Field(
        name=name,
        column=column.strip("-"),
        data_type=data_type,
        label=label.strip(),
        length=int(length) if length else None,
        disabled=kind.endswith("!"),
        values=dict(map(_value, values.split(";"))) if values else {},
    )


def _value(text: str) -> tuple[str, str]:
    """Return label and code; a label with a slash of its own (`Partial/Order`) is its own code."""
    label, slash, code = text.rpartition("/")
    return (label, code) if slash and len(code) <= 4 else (text, text)
