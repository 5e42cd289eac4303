"""Turns a block of the configuration into the Struct that declares it, naming the key that is wrong.

msgspec alone does not name the entity in `entities[...]`, knows no nearest key and shows values; so blocks are walked
here, and msgspec converts the single values. A message names the key and the type that stands there, never the value:
it may be a password under the wrong key.

    float            a duration: `30s`, `5m`, `1h`, `7d`, or 0; unless its Meta names another unit
    Size             a size: `200MB`, or a number of bytes
    Moment           a day or an instant, as text or as YAML reads it
    Secret, Path     from text
    anything else    as msgspec takes it
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from p21d.durations import parse_duration
from p21d.errors import ConfigError
from p21d.secret import Secret
from p21d.sizes import parse_size

T = TypeVar("T", bound=msgspec.Struct)


def convert_block(block: Mapping[str, Any], type_: type[T], path: str) -> T:
    """Return `block` as the Struct `type_`; raises ConfigError with the dotted path of the wrong key.

    null means the default. `path` is where the block stands, `sink` for example; the whole file has an empty one.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(type_)}
    values = {}
    for key, value in _mapping(block, path).items():
        if key not in fields:
            raise ConfigError("unknown key", path=joined(path, key), hint=nearest(key, fields))
        if value is not None:
            values[fields[key].name] = _convert(value, fields[key].type, joined(path, key))
    for field in fields.values():
        if field.required and field.name not in values:
            raise ConfigError("is required", path=joined(path, field.encode_name))
    return type_(**values)


def joined(path: str, key: object) -> str:
    """Return the dotted path of `key` under `path`."""
    return f"{path}.{key}" if path else str(key)


def nearest(name: object, known: Iterable[str]) -> str:
    """Return the hint for an unknown name: the nearest known one, else all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(str(name), names, n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(names)}"


def plain_type(type_: Any) -> Any:
    """Return a field's type without None and Annotated: `float` of `Annotated[float, ...] | None`."""
    if get_origin(type_) is Annotated:
        return plain_type(get_args(type_)[0])
    if get_origin(type_) in {Union, UnionType}:
        types = [item for item in get_args(type_) if item is not type(None)]
        return plain_type(types[0]) if len(types) == 1 else type_
    return type_


def unit(type_: Any) -> str:
    """Return the unit of a field's number: `seconds` of a float, else what its Meta says."""
    for item in (type_, *get_args(type_)):
        for meta in getattr(item, "__metadata__", ()):
            if isinstance(meta, msgspec.Meta) and meta.extra:
                return str(meta.extra.get("unit", ""))
    return "seconds" if plain_type(type_) is float else ""


def _convert(value: Any, type_: Any, path: str) -> Any:
    plain = plain_type(type_)
    origin, arguments = get_origin(plain), get_args(plain)
    if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
        return convert_block(value, plain, path)
    if origin is dict:
        return {key: _item(item, arguments[1], joined(path, key)) for key, item in _mapping(value, path).items()}
    if origin in {tuple, list} and isinstance(value, list):
        return origin(_convert(item, arguments[0], f"{path}[{index}]") for index, item in enumerate(value))
    return _leaf(value, type_, plain, path)


def _item(value: Any, type_: Any, path: str) -> Any:
    plain = plain_type(type_)
    if value is None and isinstance(plain, type) and issubclass(plain, msgspec.Struct):
        value = {}  # `customer:` alone is a block of defaults
    return value if plain is Any else _convert(value, type_, path)


def _leaf(value: Any, type_: Any, plain: Any, path: str) -> Any:
    if plain in {Secret, Path}:
        return _from_text(value, plain, path)
    referred = isinstance(value, Secret)  # a reference gives text, also where a number is wanted
    value = value.reveal() if isinstance(value, Secret) else value
    if get_origin(plain) is Literal and value not in get_args(plain):
        raise ConfigError(f"expected one of {', '.join(map(str, get_args(plain)))}", path=path)
    try:
        if unit(type_) == "seconds":
            value = parse_duration(value)
        elif unit(type_) == "bytes" and isinstance(value, str):
            value = parse_size(value)
        elif unit(type_) == "date":
            value = _iso(value)
        return msgspec.convert(value, type_, strict=not referred)
    except msgspec.ValidationError as error:
        raise ConfigError(_in_words(str(error), type_), path=path, hint=_quote_hint(value, plain)) from error
    except ValueError as error:
        raise ConfigError(str(error), path=path) from error


def _iso(value: Any) -> Any:
    """Return a day or instant as ISO text; raises ValueError for a text that is none."""
    if isinstance(value, date):  # YAML reads 2026-12-01 as one; a datetime is one too
        return value.isoformat()
    if isinstance(value, str) and value:
        try:
            datetime.fromisoformat(value)
        except ValueError as error:
            raise ValueError("expected a day such as 2026-12-01, or an instant with its offset") from error
    return value


def _from_text(value: Any, plain: type, path: str) -> Any:
    if isinstance(value, Secret):
        return value if plain is Secret else Path(value.reveal())
    if not isinstance(value, str) or not value:
        raise ConfigError("expected text", path=path, hint=_quote_hint(value, str))
    return plain(value)


def _mapping(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError("expected a block of keys", path=path)
    for key in value:
        if not isinstance(key, str):
            raise ConfigError("expected a name as key", path=joined(path, key), hint="write it in quotes")
    return value


_WORDS = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list"}


def _in_words(message: str, type_: Any) -> str:
    """Return msgspec's message with the words of the file: "Expected `int`, got `str`"."""
    message = message.replace(" | null`", "`")  # a null is the default, and never comes here
    bound = f" {unit(type_)}" if " >= " in message or " <= " in message else ""
    for name, words in {**_WORDS, "object": "a block of keys", "null": "nothing"}.items():
        message = message.replace(f"`{name}`", words)
    return message.partition(" - at ")[0].replace("Expected", "expected").removesuffix(".0") + bound.rstrip()


def _quote_hint(value: Any, plain: Any) -> str:
    # YAML reads 01 as 1, -10:00 as -600 and 2026-12-01 as a date
    return "write it in quotes" if plain is str and not isinstance(value, (str, list, Mapping)) else ""
