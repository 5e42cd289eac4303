"""The reference: the text by which an order in P21 is known as the one of a hub order.

It is made from the hub's id alone, so that the same hub order has the same reference whenever and by whomever it is
rendered, and no two have one. Laid beside the buyer's PO by a template, it is never shortened; the PO is.

Why ASCII only: P21 keeps these columns in the code page of its site, and a character that is not in it comes back as
another one. The look-up compares the whole text, and would not find the order it stands for.
"""

from __future__ import annotations

import re
import string
import unicodedata

from p21d.errors import ConfigError, RecordRefused

MARK = "HUB-"
"""Stands before the hub's id, so that no buyer's PO reads like a reference of ours."""
LENGTHS = {"po_no": 50, "job_name": 40}
"""Characters of the reference fields (facts 4.2); P21 refuses longer values."""
OTHER_LENGTH = 255
LONGEST_ID = 36
"""Characters of the hub's longest ids: GUIDs."""
_REFERENCE = re.compile(re.escape(MARK) + r"([0-9A-Za-z]+(?:-[0-9A-Za-z]+)*)")


def reference_of(hub_id: str) -> str:
    """Return the reference of a hub order."""
    return MARK + hub_id.strip()


def referred_in(text: str) -> list[str]:
    """Return the hub ids whose references may stand in a text of P21; a hyphen may belong to the id or follow it."""
    found: list[str] = []
    for run in _REFERENCE.findall(text):
        parts = run.split("-")
        found += ["-".join(parts[:count]) for count in range(len(parts), 0, -1)]
    return found


def render_reference(template: str, field: str, *, hub_id: str, buyer_po: str) -> str:
    """Return the text of the reference field; raises RecordRefused where not even the reference fits into it."""
    po, limit, uses = tidy(buyer_po), length_of(field), template.count("{buyer_po")
    while True:
        text = tidy(template.format(ref=reference_of(hub_id), buyer_po=po))
        if len(text) <= limit:
            return text
        if not po or not uses:
            raise RecordRefused(
                f"the reference {text!r} has {len(text)} characters, {field} takes {limit}",
                code="reference",
                hint="shorten orders.reference, or name a longer orders.reference_field",
            )
        po = po[: max(0, len(po) - max(1, (len(text) - limit) // uses))].rstrip()


def length_of(field: str) -> int:
    """Return how many characters a reference field takes."""
    return LENGTHS.get(field, OTHER_LENGTH)


def tidy(text: str) -> str:
    """Return a text as P21 gives it back unchanged: ASCII, single blanks, none at the ends."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join("".join(c if c.isprintable() else " " for c in plain).split())


def check_reference(template: str, field: str) -> None:
    """Raise ConfigError where the template does not carry the reference, or leaves no room for the longest one."""
    path, hint = "orders.reference", "such as '{buyer_po} {ref}'"
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
        shown = tidy(template.format(ref="", buyer_po=""))
    except (ValueError, KeyError, IndexError) as error:
        raise ConfigError(
            f"{template!r} is not a template of {{ref}} and {{buyer_po}}", path=path, hint=hint
        ) from error
    if names.count("ref") != 1 or "{ref}" not in template:
        raise ConfigError(f"{template!r} must hold {{ref}} once", path=path, hint=hint)
    if len(shown) + 1 + len(MARK) + LONGEST_ID > length_of(field) + 1:
        raise ConfigError(f"{template!r} leaves no room for the reference in {field}", path=path, hint=hint)
