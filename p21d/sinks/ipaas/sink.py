"""The hub as a sink: one record after the other, each answered; what concerns more than one record is raised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from p21d.clock import Clock
from p21d.errors import RecordError, RecordFailed, RequestTimeout
from p21d.http import HttpClient, plain_address
from p21d.plugin import Route
from p21d.sinks.ipaas.acknowledge import Acknowledgement
from p21d.sinks.ipaas.bodies import Bodies, same
from p21d.sinks.ipaas.born import Born
from p21d.sinks.ipaas.calls import Calls
from p21d.sinks.ipaas.classify import Classifier
from p21d.sinks.ipaas.collision import Collision, CollisionRule
from p21d.sinks.ipaas.directory import Directory
from p21d.sinks.ipaas.finder import Finder
from p21d.sinks.ipaas.inactive import Activity
from p21d.sinks.ipaas.inbox import IpaasInbox
from p21d.sinks.ipaas.links import Links
from p21d.sinks.ipaas.missing import Missing
from p21d.sinks.ipaas.nested import Nested
from p21d.sinks.ipaas.options import IpaasOptions, validate
from p21d.sinks.ipaas.removal import Removal
from p21d.sinks.ipaas.session import Session
from p21d.sinks.ipaas.subscription import Subscription
from p21d.sinks.ipaas.upsert import Upsert
from p21d.sinks.ipaas.verdicts import SYSTEM
from p21d.sinks.ipaas.wire import Wire
from p21d.sinks.ipaas.write import Tools, Writer
from p21d.sinks.port import Answer, Delivery, SinkStatistics
from p21d.sinks.rate import Pace, parse_rate

_NEVER_LINKED = "p21d:probe"
"""An external id no template can make, for it names no key."""


class IpaasSink:
    """iPaaS.com as a sink; `rules` holds the collision rules of entities that have their own."""

    has_ids = True
    whole_pages = False

    def __init__(self, options: IpaasOptions, clock: Clock, rules: Mapping[str, CollisionRule] | None = None) -> None:
        """Check the options and open nothing yet; raises ConfigError naming the key."""
        validate(options)
        self._options = options
        self._target = options.base_url
        self._directory = Directory(options)
        # The engine's limiter is the cap on simultaneous calls, and it changes while running; the pool sets no other.
        client = HttpClient(
            SYSTEM,
            timeout_seconds=options.timeout,
            ca_file=options.ca_file,
            ca_key="sink.ca_file",
            connections=0,
        )
        self._wire = Wire(client, Pace(parse_rate(options.rate), clock), clock)
        classifier = Classifier(options)
        self._session = Session(options, self._directory, self._wire, classifier, clock)
        self._calls = Calls(self._directory, self._session, self._wire, classifier, clock)
        self._links = Links(self._calls, self._directory, options.system_id)
        self._finder = Finder(self._calls, self._directory, options.system_id)
        self._upsert = self._built(options, rules or {})
        parts = self._calls, self._directory, options.system_id
        self._inbox = IpaasInbox(
            self._directory, self._finder, self._links, Missing(*parts), Subscription(*parts), options.system_id
        )

    @property
    def inbox(self) -> IpaasInbox:
        """Return where orders are taken from."""
        return self._inbox

    def identity(self) -> str:
        """Return the hub's address, the company and the subscription; an API key alone says nothing of the company."""
        company = (self._options.company_id or "of the key").lower()
        return f"ipaas {plain_address(self._options.base_url)} company {company} system {self._options.system_id}"

    def link_table(self, route: Route, member: str = "") -> str:
        """Return the link table of the route's records, or of its children under `member`; raises ConfigError."""
        return self._directory.link_table(route, member)

    async def deliver(self, batch: Sequence[Delivery], answers: list[Answer]) -> None:
        """Send a batch in order; see `Sink.deliver`.

        One slow record is no outage, but two time-outs in a row are: a hub that takes calls and never answers would
        hold a batch of 100 for hours.
        """
        silent = False
        for delivery in batch:
            try:
                answers.append(await self._answer(delivery))
                silent = False
            except RequestTimeout as error:
                if silent:
                    raise
                silent = True
                answers.append(timed_out(delivery, error))

    async def find(self, route: Route, external_id: str, *, of_type: bool = False) -> str | None:
        """Return the id of the active record linked to our external id, None where there is none; see `Sink.find`."""
        resource = self._directory.resource(route)
        linked = await self._links.lookup(resource, external_id)
        if linked is None or linked.inactive:
            return None
        if of_type and resource.typed and route.types:
            record = await self._finder.read(resource, linked.hub_id) or {}
            told = record.get(self._directory.member(resource, "type"))
            if told is not None and not any(same(one, told) for one in route.types):
                return None
        return linked.hub_id

    async def probe(self, route: Route) -> None:
        """Look up an external id that cannot exist, in the route's own family."""
        await self._links.probe(self._directory.resource(route), _NEVER_LINKED)

    async def check(self) -> None:
        """Log in and make one call that reads nothing; raises Unauthorized, Forbidden or Unavailable."""
        await self.probe(Route(resource="location"))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()

    def statistics(self) -> SinkStatistics:
        """Return a snapshot for status."""
        detail = {"tracking_guid": self._calls.tracking_guid}
        if self._wire.pace.waiting:
            detail["rate_wait_seconds"] = f"{self._wire.pace.seconds_left():.0f}"
        if self._session.paused_seconds():
            detail["paused_seconds"] = f"{self._session.paused_seconds():.0f}"
        return SinkStatistics(
            target=self._target,
            calls=self._wire.calls,
            failures=self._wire.failures,
            last_answer_at=self._wire.last_answer_at,
            detail=detail,
        )

    async def _answer(self, delivery: Delivery) -> Answer:
        try:
            return await self._upsert.send(delivery)
        except RecordError as error:
            # an answer from here on: its frames hold the whole record, and themselves
            error.__cause__ = error.__context__ = None
            return error.with_traceback(None)

    def _built(self, options: IpaasOptions, rules: Mapping[str, CollisionRule]) -> Upsert:
        finder, directory = self._finder, self._directory
        acknowledgement = Acknowledgement(self._links, finder, directory, options.system_id)
        bodies = Bodies(options, directory)
        nested = Nested(self._calls, directory, bodies, finder, options.system_id)
        tools = Tools(self._calls, directory, bodies, self._links, finder, acknowledgement, nested)
        writer = Writer(tools)
        activity = Activity(tools, writer)
        default = CollisionRule(options.collision, options.match_first)
        collision = Collision(tools, writer, activity, rules, default)
        born = Born(tools, writer, options.system_id)
        return Upsert(tools, writer, activity, collision, Removal(tools, writer), born)


def timed_out(delivery: Delivery, error: RequestTimeout) -> RecordFailed:
    """Return the answer for a record whose own call got none."""
    hint = "it is looked up before it is sent again"
    return RecordFailed(f"{error.message}, for {delivery.external_id}", code="timeout", hint=hint)
