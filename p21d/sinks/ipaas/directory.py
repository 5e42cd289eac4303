"""Says where each kind of record lives in this hub: the one table with the configuration's overrides laid over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from p21d.errors import ConfigError
from p21d.plugin import Route
from p21d.sinks.ipaas.options import IpaasOptions
from p21d.sinks.ipaas.table import AUTH, FAMILIES, HEADERS, LINES, LINKS, OTHER_PATHS, QUERY, VERSIONS, Resource

CUSTOM_FIELD = "custom_fields."
"""In front of a member's name in `sink.members`: the hub keeps it as a custom field of that name (facts 9)."""


class Directory:
    """The table with this configuration's overrides laid over it."""

    def __init__(self, options: IpaasOptions) -> None:
        """Lay the overrides over the defaults; raises ConfigError for a key the table does not have."""
        self._base_url = options.base_url.rstrip("/")
        self._version = options.version
        self._urls = _overlaid("urls", FAMILIES, options.urls, open_ended=True)
        self._own_urls = frozenset(options.urls)
        self._auth = _overlaid("auth", AUTH, options.auth)
        self._links = _overlaid("links", LINKS, options.links)
        self.headers = _overlaid("headers", HEADERS, options.headers)
        self.query = _overlaid("query", QUERY, options.query)
        self.members = options.members
        names = dict.fromkeys(LINES, "")
        listings = {line.listing: "" for line in LINES.values() if line.listing}
        self._paths = _overlaid("paths", OTHER_PATHS | names | listings, options.paths)
        self._tables = _overlaid("tables", names, options.tables)
        self._resources = {name: self._overridden(line) for name, line in LINES.items()}

    def resource(self, route: Route) -> Resource:
        """Return the line of a route; raises ConfigError where neither table nor route say enough."""
        line = self._resources.get(route.resource)
        if line is not None:
            return line
        if not (route.family and route.path and route.link_table):
            raise ConfigError(
                f"the hub's table has no resource {route.resource!r}",
                path="route.resource",
                hint="give its family, path and link_table in the entity's Route",
            )
        return Resource(
            name=route.resource,
            family=route.family,
            path=route.path,
            list_path=route.path + "s",
            link_table=route.link_table,
            permission=route.resource,
        )

    def named(self, name: str) -> Resource:
        """Return a line of the table by its name."""
        return self._resources[name]

    def link_table(self, route: Route, member: str = "") -> str:
        """Return the link table of the route's records, or of its children under `member`."""
        if not member:
            return self.resource(route).link_table
        return self.child(route, member).link_table

    def child(self, route: Route, member: str) -> Resource:
        """Return the line of a route's children; a child resource the table lacks names its link table itself."""
        name = route.children.get(member)
        if name is None:
            raise ConfigError(f"the route of {route.resource} has no children {member!r}", path="route.children")
        parent = self.resource(route)
        own = Resource(
            name=name, family=parent.family, path="", list_path="", link_table=name, permission=parent.permission
        )
        return self._resources.get(name, own)

    def member(self, resource: Resource, member: str) -> str:
        """Return the name under which the hub knows a member; empty where it is to be left out."""
        return self.members.get(resource.name, {}).get(member, member)

    def auth_url(self, step: str, **parts: str) -> str:
        """Return the URL of a login step."""
        return self._url("sso", _filled(self._auth[step], parts))

    def link_url(self, resource: Resource, call: str, **parts: str) -> str:
        """Return the URL of a call of the link table that keeps this resource's links."""
        return self._url(resource.family, _filled(self._links[call], parts))

    def missing_url(self, resource: Resource, system_id: int, page: int) -> str:
        """Return the URL of one page of the records of a link table that our system has no link for."""
        url = self.link_url(resource, "missing", system_id=str(system_id), table=resource.link_table)
        query = f"{self.query['page']}={page}" if self.query["page"] else ""
        return f"{url}{'&' if '?' in url else '?'}{query}" if query else url

    def subscription_url(self, call: str, system_id: int) -> str:
        """Return the URL of the subscription with its persistent data, or of a write to these."""
        return self._url("subscriptions", _filled(self._paths[call], {"id": system_id}))

    def record_url(self, resource: Resource, hub_id: str = "") -> str:
        """Return the URL of one record, without an id that of its collection."""
        return self._url(resource.family, resource.path) + (f"/{quote(hub_id, safe='')}" if hub_id else "")

    def create_url(self, resource: Resource, parent_id: str = "") -> str:
        """Return the URL to which a new record is posted, under its parent where one is given."""
        query = f"?{self.query['parent']}={quote(parent_id, safe='')}" if parent_id else ""
        return self.record_url(resource) + query

    def reactivate_url(self, resource: Resource, hub_id: str) -> str:
        """Return the URL that brings an inactive record back."""
        path = self._paths["reactivate"].replace("{resource}", resource.path)
        return self._url(resource.family, _filled(path, {"id": hub_id}))

    def list_url(self, resource: Resource, *, field: str = "", value: str = "", parent: str = "") -> str:
        """Return the URL of the list of records with this value, or of this parent."""
        query = f"{self.query['parent']}={quote(parent, safe='')}"
        if not parent:
            name = "".join(word.capitalize() for word in field.split("_"))
            query = _filled(self.query["filter"], {"field": name, "value": value})
        return f"{self._url(resource.family, resource.list_path)}?{query}"

    def _url(self, family: str, path: str) -> str:
        version = self._version
        if isinstance(version, dict):
            version = version.get(family, "v2")
        version = VERSIONS.get(family, version)
        return f"{self._family_url(family)}/{path.lstrip('/').replace('{version}', version)}"

    def _family_url(self, family: str) -> str:
        name = self._urls.get(family, family)
        return name.rstrip("/") if family in self._own_urls else f"{self._base_url}/{name}"

    def _overridden(self, line: Resource) -> Resource:
        return replace(
            line,
            path=self._paths.get(line.name) or line.path,
            list_path=self._paths.get(line.listing) or line.list_path,
            link_table=self._tables.get(line.name) or line.link_table,
        )


def _filled(path: str, parts: Mapping[str, Any]) -> str:
    for name, value in parts.items():
        path = path.replace("{" + name + "}", quote(str(value), safe=""))
    return path


def _overlaid(
    block: str, defaults: Mapping[str, str], overrides: Mapping[str, str], *, open_ended: bool = False
) -> dict[str, str]:
    for key in overrides:
        if key not in defaults and not open_ended:
            raise ConfigError(f"is not known; known are {', '.join(sorted(defaults))}", path=f"sink.{block}.{key}")
    return {**defaults, **overrides}
