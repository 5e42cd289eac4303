from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from msgspec import Meta, Struct

from p21d.blocks import convert_block
from p21d.errors import ConfigError
from p21d.references import Resolved
from p21d.secret import Secret
from p21d.sizes import Size


class Inner(Struct, frozen=True, kw_only=True):
    wait: Annotated[float, Meta(ge=1)] = 5.0


class Block(Struct, frozen=True, kw_only=True):
    name: str
    count: Annotated[int, Meta(ge=1)] = 1
    wait: float = 30.0
    longest: float | None = None
    days: Annotated[float, Meta(ge=0, extra={"unit": "days"})] = 4
    room: Size = 5
    password: Secret | None = None
    folder: Path = Path("/")
    form: Literal["a", "b"] = "a"
    names: tuple[str, ...] = ()
    headers: dict[str, Secret] = {}
    inner: Inner = Inner()
    inners: dict[str, Inner] = {}


def convert(**block):
    return convert_block({"name": "x", **block}, Block, "sink")


def refusal(**block):
    with pytest.raises(ConfigError) as raised:
        convert(**block)
    return str(raised.value)


def test_a_float_is_a_duration():
    assert convert(wait="5m", longest="1h") == Block(name="x", wait=300.0, longest=3600.0)


def test_a_float_of_another_unit_is_a_plain_number():
    assert convert(days=2).days == 2


def test_a_size_is_text_or_bytes():
    assert (convert(room="2MB").room, convert(room=7).room) == (2_000_000, 7)


def test_text_becomes_a_secret_or_a_path():
    block = convert(password="p", folder="/tmp", headers={"X-Key": "k"})
    assert (block.password, block.folder, block.headers) == (Secret("p"), Path("/tmp"), {"X-Key": Secret("k")})


def test_null_means_the_default():
    assert convert(count=None, inner=None, inners={"a": None}) == Block(name="x", inners={"a": Inner()})


def test_what_a_reference_gave_fits_any_field():
    block = convert(name=Resolved("n", "r"), count=Resolved("3", "r"), wait=Resolved("5m", "r"))
    assert (block.name, block.count, block.wait) == ("n", 3, 300.0)


def test_a_reference_stays_known_in_a_secret():
    assert convert(password=Resolved("p", "${env:P}")).password.reference == "${env:P}"


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"pasword": "p"}, "sink.pasword: unknown key (did you mean password?)"),
        ({"inner": {"wai": 1}}, "sink.inner.wai: unknown key (did you mean wait?)"),
        ({"inners": {"a": {"zzz": 1}}}, "sink.inners.a.zzz: unknown key (known: wait)"),
        ({"inners": {"a": {"wait": "0.5s"}}}, "sink.inners.a.wait: expected a number >= 1 seconds"),
        ({"wait": 5}, "sink.wait: expected a duration such as 30s, 5m, 1h, 7d or 0"),
        ({"count": "5"}, "sink.count: expected a whole number, got text"),
        ({"count": 0}, "sink.count: expected a whole number >= 1"),
        ({"count": True}, "sink.count: expected a whole number, got true or false"),
        ({"days": -1}, "sink.days: expected a number >= 0 days"),
        ({"days": float("nan")}, "sink.days: expected a number >= 0 days"),
        ({"room": "5"}, "sink.room: expected a size such as 500KB, 200MB, 1GB or 0"),
        ({"name": 1}, "sink.name: expected text, got a whole number (write it in quotes)"),
        ({"names": [1]}, "sink.names[0]: expected text, got a whole number (write it in quotes)"),
        ({"names": "x"}, "sink.names: expected a list, got text"),
        ({"password": 12345678}, "sink.password: expected text (write it in quotes)"),
        ({"password": ""}, "sink.password: expected text"),
        ({"form": "c"}, "sink.form: expected one of a, b"),
        ({"inner": "x"}, "sink.inner: expected a block of keys"),
        ({"inner": {1: 2}}, "sink.inner.1: expected a name as key (write it in quotes)"),
        ({"name": None}, "sink.name: is required"),
    ],
)
def test_a_wrong_key_is_named_with_its_path(block, message):
    assert refusal(**block) == message


@pytest.mark.parametrize("key", ["count", "wait", "days", "room", "form", "names", "inner", "headers"])
def test_a_password_under_the_wrong_key_is_not_repeated(key):
    assert "hunter2" not in refusal(**{key: "hunter2"})
