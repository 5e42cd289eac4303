"""The words of which the seeded distributor's names, addresses and descriptions are made."""

from __future__ import annotations


def _words(text: str, separator: str = " ") -> tuple[str, ...]:
    return tuple(text.split(separator))


FIRST_NAMES = _words(
    "James Mary Robert Patricia John Jennifer Luis Maria Wei Aisha Andr\u00e9 Zo\u00eb Thomas Karen Bj\u00f6rn "
    "Siobh\u00e1n Daniel Nancy Mateo Emily Jos\u00e9 Rachel Kevin Donna George Olga Priya Samuel Helen Hiro"
)
LAST_NAMES = _words(
    "Smith Johnson Garc\u00eda Miller O'Brien Nguyen M\u00fcller Anderson D'Angelo Lopez Kowalski Clark Nu\u00f1ez "
    "Walker Young King Wright Scott Patel Hill Adams Baker Nelson Carter \u0141ukasz Roberts Turner Phillips "
    "Yamada Evans"
)
COMPANY_WORDS = _words(
    "Acme Summit Lakeshore Tri-County Pioneer Valley Keystone Liberty Great\u00a0Plains Ironwood Delta Harbor Northern "
    "Capital Evergreen Cascade Bluegrass Prairie Monarch Atlas"
)
COMPANY_TRADES = _words(
    "Plumbing Mechanical HVAC Fabrication Builders Electric Contractors Maintenance Pipe&Supply Machine Millworks "
    "Refrigeration Utilities Fasteners Hydraulics"
)
COMPANY_FORMS = ("Inc.", "LLC", "Co.", "& Sons", "Corp.", "Group", "Ltd.")
STREETS = _words(
    "Main St|Industrial Pkwy|Commerce Dr|Oak Ave|2nd Street NW|Route 9|Caf\u00e9 Row|Mill Rd|Harbor Blvd|"
    "Foundry Ln|Elm St",
    separator="|",
)
CITIES = (
    ("Columbus", "OH", "43215"),
    ("Pittsburgh", "PA", "15222"),
    ("Charlotte", "NC", "28202"),
    ("Grand Rapids", "MI", "49503"),
    ("Rochester", "NY", "14604"),
    ("Ca\u00f1on City", "CO", "81212"),
    ("St. Louis", "MO", "63101"),
    ("Nashville", "TN", "37203"),
    ("Tampa", "FL", "33602"),
    ("Toledo", "OH", "43604"),
)
ITEM_NOUNS = (
    ("VALVE", "BALL VALVE"),
    ("ELBOW", "ELBOW 90 DEG"),
    ("GASKET", "GASKET"),
    ("BOLT", "HEX BOLT"),
    ("HOSE", "HYDRAULIC HOSE"),
    ("PUMP", "CIRCULATOR PUMP"),
    ("FILTER", "INLINE FILTER"),
    ("CLAMP", "BEAM CLAMP"),
    ("BEARING", "PILLOW BLOCK BEARING"),
    ("MOTOR", "ELECTRIC MOTOR"),
    ("COUPLG", "COUPLING"),
    ("REGLTR", "PRESSURE REGULATOR"),
)
ITEM_MATERIALS = ("BRASS", "CARBON STEEL", "316 STAINLESS", "PVC SCH 80", "EPDM", "GALVANIZED", "COPPER", "PTFE")
ITEM_SIZES = ('1/4"', '3/8"', '1/2"', '3/4"', '1"', '1-1/2"', '2"', '4"', "20 MM", "50 MM")
MANUFACTURERS = ("Nordhaus", "Apex Flow", "Titan", "J\u00e4ger & Co", "Westfield", "Corbin", "Unibrand")
PRODUCT_GROUPS = (
    ("VALVES", "Valves and actuators"),
    ("FITTING", "Pipe fittings"),
    ("SEALING", "Gaskets, seals, O-rings"),
    ("FASTEN", "Fasteners"),
    ("FLUID", "Hoses & fluid power"),
    ("MOTION", "Bearings, motors"),
)
UNITS = (("EA", 1), ("BX", 12), ("CS", 48), ("FT", 1))
TERMS = ("N30", "N45", "2N10", "COD")
CREDIT_STATUSES = ("GOOD", "GOOD", "GOOD", "GOOD", "WATCH", "ACA", "COD")
TAKERS = ("JSMITH", "MLOPEZ", "AROSS", "WEBUSER", "TCLARK")
DELIVERY_NOTES = (
    None,
    None,
    None,
    "Call ahead 30 minutes",
    'Ask for "Bob" at dock #4; lift gate required',
    "Deliver between 7:00 and 11:00 & leave at the gate. " * 4,
)
LONG_DESCRIPTION = (
    "Full port design for low pressure drop. Blow-out proof stem, adjustable packing and reinforced seats. "
    "Suitable for water, oil, gas and air. Tested to 1.5 times the rated pressure; certificates on request. "
) * 8
