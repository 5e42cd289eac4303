"""Secrets that stand elsewhere: `${file:PATH}`, `${credential:NAME}` (systemd) and `${env:NAME}`.

What a reference resolves to is a secret, whatever key it stands under, and `Resolved` carries the reference's own text
so that `p21d config show` can print that instead. No message here holds a value: an unknown `${...}` may be part of a
password.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from p21d.errors import ConfigError
from p21d.secret import Secret

_REFERENCE = re.compile(r"\$\{([^:{}]*):([^{}]*)\}")
_FORMS = "use ${file:PATH}, ${credential:NAME} or ${env:NAME}"
READABLE_BY_OTHERS = 0o004
WRITABLE_BY_OTHERS = 0o002


class Resolved(Secret):
    """A secret that was read through the reference it names."""

    __slots__ = ("reference",)

    def __init__(self, value: str, reference: str) -> None:
        super().__init__(value)
        self.reference = reference


@dataclass
class References:
    """Resolves the references of one file, and remembers the secrets and warnings it met."""

    environment: Mapping[str, str]
    secrets: list[Secret] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def resolve(self, value: Any, path: str) -> Any:
        """Return `value` with each text that holds a reference as a Resolved; raises ConfigError with `path`."""
        if isinstance(value, dict):
            return {key: self.resolve(item, f"{path}.{key}" if path else str(key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolve(item, f"{path}[{index}]") for index, item in enumerate(value)]
        if isinstance(value, str) and _REFERENCE.search(value):
            return Resolved(_REFERENCE.sub(lambda match: self._read(match[1], match[2], path), value), value)
        return value

    def _read(self, kind: str, name: str, path: str) -> str:
        if kind == "file":
            value = self._file(Path(name), path, f"it must exist and be readable for user {os.geteuid()}")
        elif kind == "credential":
            value = self._credential(name, path)
        elif kind == "env":
            value = self.environment.get(name, "")
        else:
            raise ConfigError("unknown kind of reference", path=path, hint=_FORMS)
        if not value:
            raise ConfigError(f"nothing stands in ${{{kind}:{name}}}", path=path)
        self.secrets.append(Secret(value))
        return value

    def _credential(self, name: str, path: str) -> str:
        folder = self.environment.get("CREDENTIALS_DIRECTORY")
        if not folder:
            hint = "only systemd hands out credentials; run the service, or use ${file:PATH}"
            raise ConfigError(f"${{credential:{name}}} needs $CREDENTIALS_DIRECTORY", path=path, hint=hint)
        if "/" in name or name in {"", ".", ".."}:
            raise ConfigError("a credential has a plain name, without a folder", path=path)
        return self._file(Path(folder) / name, path, f"the unit needs LoadCredential={name}:PATH")

    def _file(self, file: Path, path: str, hint: str) -> str:
        try:
            text = file.read_text("utf-8")
            mode = file.stat().st_mode
        except UnicodeDecodeError:
            # not chained: the decoder's error holds the bytes of the secret
            raise ConfigError(f"{file} is not UTF-8 text", path=path) from None
        except (OSError, ValueError) as error:
            raise ConfigError(f"the secret in {file} cannot be read: {_words(error)}", path=path, hint=hint) from error
        if mode & READABLE_BY_OTHERS:
            self.warnings.append(f"{path}: {file} is readable by everyone (chmod o-r {file})")
        if mode & WRITABLE_BY_OTHERS:
            self.warnings.append(f"{path}: {file} may be written by everyone (chmod o-w {file})")
        return text.removesuffix("\n").removesuffix("\r")


def _words(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
