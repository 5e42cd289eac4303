"""Says why a system cannot be reached, in words for the person who can mend it: name, certificate, refused, broken off.

Why no key turns the verification off: a daemon that sends a password through the night to whoever answers is worse
than one that waits and says which certificate it wants.
"""

from __future__ import annotations

import os
import ssl

import aiohttp

_NOT_YET_VALID = 9
_EXPIRED = 10
_OTHER_NAME = frozenset({62, 64})
"""OpenSSL's X509_V_ERR_...: CERT_NOT_YET_VALID, CERT_HAS_EXPIRED, HOSTNAME_MISMATCH, IP_ADDRESS_MISMATCH."""

NO_CONNECTION = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientConnectorCertificateError,
    aiohttp.ClientHttpProxyError,
    UnicodeError,
)
"""What is raised before there is a connection to write the request to; UnicodeError by a name no resolver takes."""


def reason_and_hint(error: Exception, ca_key: str) -> tuple[str, str]:
    """Return why a call got no whole answer and what to do, both empty where the error says it best itself.

    `ca_key` is the config key of the authority's file, `sink.ca_file`; the address stands in the same block.
    """
    block = ca_key.partition(".")[0]
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _certificate(error, ca_key, block)
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        why = str(error.os_error.reason or "no handshake").lower().replace("_", " ")
        return f"no TLS with {_place(error)}: {why}", f"check https and the port of the address in the block {block}"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        words = f"the name {error.host} does not resolve: {error.os_error.strerror or 'no such name'}"
        return words.lower(), f"check the host in the address in the block {block}, and this machine's name service"
    if isinstance(error, UnicodeError):
        return "the host in its address is no name", f"check the host in the address in the block {block}"
    if type(error) is aiohttp.ClientConnectorError and error.os_error.errno:
        return f"{os.strerror(error.os_error.errno).lower()} ({_place(error)})", ""
    return _broken_off(error), ""


def _broken_off(error: Exception) -> str:
    """Return how a call ended that had a connection; aiohttp's own words are for programmers."""
    if isinstance(error, aiohttp.ClientPayloadError):
        return "its answer broke off in the middle"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "it closed the connection without an answer"
    if isinstance(error, aiohttp.ClientOSError) and error.errno:
        return os.strerror(error.errno).lower()
    return ""


def _certificate(error: aiohttp.ClientConnectorCertificateError, ca_key: str, block: str) -> tuple[str, str]:
    found, place = error.certificate_error, f"{error.host}:{error.port}"
    code = found.verify_code if isinstance(found, ssl.SSLCertVerificationError) else 0
    words = (found.verify_message if isinstance(found, ssl.SSLCertVerificationError) else str(found)).rstrip(".")
    if code in _OTHER_NAME:
        reason = f"the certificate of {place} is for another name: {words}"
        return reason, f"write the address in the block {block} with the name that stands in the certificate"
    if code == _EXPIRED:
        return f"the certificate of {place} has expired", "it must be renewed on that side; p21d does not pass over it"
    if code == _NOT_YET_VALID:
        return f"the certificate of {place} is not valid yet", "check the time of this machine and of that side"
    hint = f"put the certificate of its authority, or its own if it is self-signed, into a file named by {ca_key}"
    return f"the certificate of {place} is not trusted: {words}", hint


def _place(error: aiohttp.ClientConnectorError) -> str:
    return f"{error.host}:{error.port}"
