"""The switches of the sandbox hub, readable and settable while it runs.

Where the vendor has not said how the hub behaves, the behaviour is a switch here and the default is the strict reading,
so that what works against the sandbox does not lean on luck. Plain faults (statuses, drops, delays) are not here: they
are rules of `p21d.sandbox.faults`.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

OTHER_SYSTEM = 5121
"""The second subscription of the sandbox company, a web shop; seeded orders come from it."""
COUNTRIES = (
    "Australia;Belgium;Brazil;Canada;Chile;China;Colombia;Denmark;Finland;France;Germany;India;Ireland;Israel;Italy;"
    "Japan;Korea, Republic of;Mexico;Netherlands;New Zealand;Norway;Poland;Portugal;Puerto Rico;Singapore;Spain;Sweden;"
    "Switzerland;Taiwan;United Kingdom;United States"
)


class HubSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Say how the hub behaves where it may behave in several ways; switches named `*_next` count down to 0."""

    # How a refusal is told.
    error_style: Literal["body", "reason", "reason_code", "both", "problem", "text", "html"] = "body"
    reason_text: Literal["plain", "long", "non_ascii", "quotes"] = "plain"
    names_holder: bool = True  # False: BIZL-1006 without the holder's id in place of BIZL-1004 and 1007

    # Who may call.
    token_lifetime_seconds: float = 3600.0
    expiry_skew_seconds: float = 0.0  # added to the expiration that is told, not to the real one
    token_mark: str = ""  # stands in each token, to be looked for where no token may be
    token_dies_every: int = 0  # every N-th data call kills the token it brings; 1: every call
    login_refused: bool = False
    refresh_refused: bool = False
    bad_login_status: Literal[400, 401] = 401
    require_client_id: Literal["off", "X-Client-Id", "X-Company-Id"] = "off"
    client_id: str = ""  # the value that header must have; empty: the company id
    denied: list[str] = []  # verb and record type without permission, such as "POST transaction"
    systems: dict[int, str] = {}  # subscriptions of the company; the sandbox adds its own

    # What a record may look like.
    ids: Literal["text", "numbers", "hex"] = "text"  # text: as the vendor's template reads them; hex: 24 digits
    text_ids_taken: bool = False  # True: "17" is taken where the hub wants 17
    check_unique: bool = True
    more_unique: dict[str, list[str]] = {}  # record type -> members unique as well, such as email_address
    unique_within: dict[str, list[str]] = {}  # record type -> members that narrow each of its unique rules
    more_required: dict[str, list[str]] = {}
    custom_fields: dict[str, list[str]] = {}  # record type -> names that are defined
    countries: list[str] = msgspec.field(default_factory=lambda: COUNTRIES.split(";"))
    country_codes_taken: bool = False
    parent_late_seconds: float = 0.0  # a parent counts as existing only after this time

    # What a write does.
    put_mode: Literal["replace", "merge", "delete_absent_children"] = "replace"
    nested_links: Literal["add", "replace"] = "add"
    link_lost_next: int = 0  # the next N creates are saved without their links
    own_paths_off: list[str] = []  # record types whose own write endpoints do not exist
    own_paths_off_status: Literal[404, 405] = 404
    persistent_data: bool = True  # False: the subscription has no place for it
    nested_off: list[str] = []  # child types that are ignored inside their parent's POST and PUT
    unknown_tables: list[str] = []  # link tables this hub does not have
    write_status: Literal[200, 201, 202, 204] = 200
    write_body: bool = True
    hang_after_commit_next: int = 0
    hang_seconds: float = 60.0

    # What an answer looks like.
    unknown_members: bool = False
    null_members: bool = False  # null in place of empty text, lists and objects too
    missing_members: bool = False  # members without content are left out
    lookup_answer: Literal["quoted", "bare", "escaped", "empty", "no_content"] = "quoted"  # the last two: for a miss
    missing_answer: Literal["text", "numbers", "objects", "internal_ids"] = "text"  # the last: other objects
    missing_ghost: bool = False  # the answer ends with an id that is then 404
    missing_taken_next: int = 0  # after the answer somebody else links the first record it named
    paging: Literal["header", "none", "wrong_totals", "size_ignored", "page_repeated"] = "header"
    page_rows: int = 100
    filter_ignored: bool = False
    lists_show_inactive: bool = False

    # How much it bears.
    limit_calls: int = 0  # more than this many calls in `limit_seconds` are answered 429; 0: no limit
    limit_seconds: float = 60.0
    limit_at_once: int = 0
    retry_after: bool = True

    def change(self, values: dict[str, Any]) -> None:
        """Set the named switches, all or none; raises msgspec.ValidationError naming the wrong one."""
        whole = {**msgspec.to_builtins(self), **values}
        checked = msgspec.json.decode(msgspec.json.encode(whole), type=HubSettings)
        for name in self.__struct_fields__:
            setattr(self, name, getattr(checked, name))

    def require_system(self, value: Any) -> int | None:
        """Return the value when it is the id of a subscription of this company, else None."""
        return value if type(value) is int and value in self.systems else None
