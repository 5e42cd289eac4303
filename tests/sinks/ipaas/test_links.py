from __future__ import annotations

import pytest

from p21d.errors import RecordFailed
from p21d.sinks.ipaas.links import Linked, read_lookup


@pytest.mark.parametrize(
    "body",
    [
        b'"81234"',
        b"81234",
        b'"\\u0038\\u0031\\u0032\\u0033\\u0034"',
        b'"\\"81234\\""',
        b'\\"81234\\"',
        b' "81234"\r\n',
        b'\xef\xbb\xbf"81234"',
    ],
)
def test_every_form_of_an_id_is_read(body):
    assert read_lookup(body, "lookup") == Linked("81234")


@pytest.mark.parametrize("hub_id", ["5e0123456789012345678901", "6b0f0d0e-1111-4222-8333-444455556666"])
def test_an_id_that_is_no_number_is_kept_as_it_is(hub_id):
    assert read_lookup(hub_id.encode(), "lookup") == Linked(hub_id)


@pytest.mark.parametrize("body", [b'"DELETED:81234"', b"DELETED:81234", b'"deleted:81234"'])
def test_a_deleted_link_is_inactive(body):
    assert read_lookup(body, "lookup") == Linked("81234", inactive=True)


@pytest.mark.parametrize("body", [b'""', b"null", b"0", b'"0"'])
def test_no_id_is_no_link(body):
    assert read_lookup(body, "lookup") is None


@pytest.mark.parametrize("body", [b"{}", b"[81234]", b"Product 81234", b"\xff\xfe", b"-1", b'"812', b'812"', b'\\"812'])
def test_anything_else_is_refused(body):
    with pytest.raises(RecordFailed):
        read_lookup(body, "lookup")
