"""The command line with a bug planted in it: python -m tests.faults.planted BUG ARGUMENTS...

talk    the redactor redacts nothing
crash   something that nobody expects fails while the daemon runs, and its words and variables hold a password
"""

from __future__ import annotations

import sys
from typing import NoReturn

import p21d.daemon
from p21d.cli import main
from p21d.config_file import load_config
from p21d.redactor import Redactor


async def crash(*_arguments: object) -> NoReturn:
    config = next(argument.partition("=")[2] for argument in sys.argv if argument.startswith("--config="))
    secret = load_config(config).prophet21.password
    password = secret.reveal() if secret else ""
    raise RuntimeError(f"no house can be kept with {password}", {"password": password})


if __name__ == "__main__":
    bug, *arguments = sys.argv[1:]
    if bug == "talk":
        Redactor.text = lambda _self, text: text  # type: ignore[method-assign]
    else:
        p21d.daemon.keep_house = crash
    sys.exit(main(arguments))
