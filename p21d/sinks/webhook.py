"""The sink that posts a batch as a JSON array to a URL of the operator's.

    X-P21d-Timestamp: 1795000000                         seconds since 1970
    X-P21d-Signature: sha256=HMAC(secret, "1795000000." + body)
    Idempotency-Key: SHA-256 of the body and its versions     the same batch, tried again, has the same

A receiver that refuses a batch for its content (400, 413, 422) gets it again in halves, until the refused record stands
alone; the others are delivered. Anything else it says is about the receiver, and the records wait. An empty array is
the question whether it is there.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from urllib.parse import urlsplit

from msgspec import Struct, field

from p21d.clock import Clock
from p21d.config import Interval
from p21d.config_check import check_url
from p21d.errors import ConfigError, RecordRefused, Unauthorized, Unavailable
from p21d.http import HttpAnswer, HttpClient, plain_address
from p21d.plugin import Route
from p21d.redactor import Redactor
from p21d.secret import Secret
from p21d.sinks.document import document, encode, table_of
from p21d.sinks.port import Acknowledged, Answer, Delivery, SinkStatistics
from p21d.sinks.rate import Pace, parse_rate

SYSTEM = "webhook"
CONNECTIONS = 100
"""The pool's bound; the true number of calls is that of the batches under way."""

_REFUSED = frozenset({400, 413, 422})


class WebhookOptions(Struct, frozen=True, kw_only=True):
    """The keys of `sink` under `type: webhook`."""

    url: str
    secret: Secret | None = None
    headers: dict[str, Secret] = field(default_factory=dict)
    rate: str | None = None
    timeout: Interval = 30.0
    ca_file: str | None = None


class WebhookSink:
    """Posts; it has no ids of its own."""

    has_ids = False
    whole_pages = False
    inbox = None

    def __init__(self, options: WebhookOptions, clock: Clock) -> None:
        """Open no connection yet; raises ConfigError for an impossible URL, header or certificate file."""
        _check(options)
        self._options = options
        self._clock = clock
        self._redactor = Redactor([*options.headers.values(), *([options.secret] if options.secret else [])])
        self._http = HttpClient(
            SYSTEM,
            timeout_seconds=options.timeout,
            ca_file=options.ca_file,
            ca_key="sink.ca_file",
            connections=CONNECTIONS,
        )
        self._pace = Pace(parse_rate(options.rate), clock)
        self._calls = 0
        self._failures = 0
        self._last_answer_at = ""

    def identity(self) -> str:
        """Return the host and a hash of the path, since a path may hold a token."""
        parts = urlsplit(plain_address(self._options.url))
        path = hashlib.sha256(parts.path.encode()).hexdigest()[:8]
        return f"webhook {parts.scheme}://{parts.netloc} path {path}"

    def link_table(self, route: Route, member: str = "") -> str:
        """Return a name for the links of this route's records; the receiver keeps none."""
        return table_of(route, member)

    async def deliver(self, batch: Sequence[Delivery], answers: list[Answer]) -> None:
        """Post the batch, in halves where its content is refused; raises Unavailable or Unauthorized."""
        if not batch:
            return
        answer = await self._post(batch)
        if answer.status not in _REFUSED:
            answers.extend(Acknowledged() for _ in batch)
        elif len(batch) == 1:
            answers.append(self._refused(answer))
        else:
            middle = len(batch) // 2
            await self.deliver(batch[:middle], answers)
            await self.deliver(batch[middle:], answers)

    async def find(
        self,
        route: Route,  # noqa: ARG002  # the port's signature
        external_id: str,  # noqa: ARG002
        *,
        of_type: bool = False,  # noqa: ARG002
    ) -> str | None:
        """Return None: the receiver is not asked."""
        return None

    async def probe(self, route: Route) -> None:  # noqa: ARG002  # every route goes to the same URL
        """Post an empty array; a receiver that refuses it is there. Raises what `deliver` raises."""
        await self._post([])

    async def check(self) -> None:
        """Try address and credentials once; raise Unauthorized or Unavailable."""
        await self._post([])

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def statistics(self) -> SinkStatistics:
        """Return the receiver's host, since a URL may hold a token, and the counts of calls."""
        return SinkStatistics(
            target=self._options.url.split("?")[0].split("/")[2],
            calls=self._calls,
            failures=self._failures,
            last_answer_at=self._last_answer_at,
        )

    async def _post(self, batch: Sequence[Delivery]) -> HttpAnswer:
        """Return an answer that is 2xx or speaks of the content; raise for the others."""
        body = encode([document(delivery) for delivery in batch])
        # with the versions: a record that changes back is another delivery, not a repetition of the first
        versions = repr([delivery.version for delivery in batch]).encode()
        await self._pace.wait()
        self._calls += 1
        self._failures += 1  # until it is known to have gone well
        answer = await self._http.request("POST", self._options.url, headers=self._headers(body, versions), body=body)
        self._last_answer_at = self._clock.now().isoformat()
        if not 200 <= answer.status < 300 and answer.status not in _REFUSED:
            raise self._error(answer)
        self._failures -= 1
        return answer

    def _headers(self, body: bytes, versions: bytes) -> dict[str, str]:
        timestamp = str(int(self._clock.now().timestamp()))
        headers = {name: value.reveal() for name, value in self._options.headers.items()}
        headers["Content-Type"] = "application/json"
        headers["X-P21d-Timestamp"] = timestamp
        headers["Idempotency-Key"] = hashlib.sha256(body + versions).hexdigest()
        if self._options.secret:
            headers["X-P21d-Signature"] = f"sha256={signature(self._options.secret, timestamp, body)}"
        return headers

    def _error(self, answer: HttpAnswer) -> Unauthorized | Unavailable:
        said = self._said(answer)
        if answer.status in {401, 403}:
            hint = "check sink.headers and sink.secret"
            return Unauthorized(f"the webhook refuses the credentials: {said}", system=SYSTEM, hint=hint)
        hint = ""
        if 300 <= answer.status < 400:
            hint = "redirects are not followed; put the final address into sink.url"
        elif answer.status in {404, 405, 410}:
            hint = "check sink.url"
        retry_after = answer.retry_after_seconds(self._clock.now())
        return Unavailable(f"the webhook answers {said}", system=SYSTEM, retry_after_seconds=retry_after, hint=hint)

    def _refused(self, answer: HttpAnswer) -> RecordRefused:
        return RecordRefused(f"the webhook refuses the record: {self._said(answer)}", code=str(answer.status))

    def _said(self, answer: HttpAnswer) -> str:
        # a receiver may echo our headers
        return self._redactor.text(f"{answer.status} {answer.reason} {answer.text(300)}".strip())


def signature(secret: Secret, timestamp: str, body: bytes) -> str:
    """Return the hex HMAC-SHA256 of `timestamp.body`, which a receiver computes to trust the call."""
    return hmac.new(secret.reveal().encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _check(options: WebhookOptions) -> None:
    check_url(options.url, "sink.url", may_have_path=True)
    for name, value in options.headers.items():
        if not (name + value.reveal()).isprintable():
            raise ConfigError("holds a line break or control character", path=f"sink.headers.{name}")
