from __future__ import annotations

import subprocess
import sys

import pytest

from p21d import __version__
from p21d.cli import COMMANDS
from p21d.errors import Unavailable


@pytest.mark.parametrize("arguments", [("nonsense",), ("status", "--nonsense"), ("pause",), ("log-level", "loud"), ()])
def test_wrong_usage_exits_64(p21d, arguments):
    assert p21d(*arguments).code == 64


def test_the_version_is_data(p21d):
    ended = p21d("--version")
    assert (ended.code, ended.out) == (0, f"p21d {__version__}\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_manual(p21d, command):
    ended = p21d(command, "--help")
    assert (ended.code, ended.out.startswith(f"Usage: p21d {command}")) == (0, True)


def test_no_daemon_exits_69_with_words_and_hint_on_stderr(p21d, tmp_path):
    ended = p21d("--socket", str(tmp_path / "none.sock"), "status")
    assert (ended.code, ended.out) == (69, "")
    assert ended.err.startswith(f"p21d: nobody listens on {tmp_path}/none.sock\n  is the daemon running?")


def test_an_error_of_the_daemon_ends_with_its_exit_code(p21d, daemon):
    daemon.error = Unavailable("P21 does not answer", system="Prophet 21", hint="wait")
    ended = p21d("status")
    assert (ended.code, ended.err) == (69, "p21d: P21 does not answer\n  wait\n")


def test_control_characters_of_an_error_do_not_reach_the_terminal(p21d, daemon):
    daemon.error = Unavailable("bad \x1b[2J answer", system="Prophet 21")
    assert "\x1b" not in p21d("status").err


def test_the_socket_comes_from_the_configuration(p21d, daemon, config_file, monkeypatch):
    monkeypatch.delenv("P21D_SOCKET")
    assert p21d("status").code == 0


def test_a_broken_configuration_does_not_hide_the_default_socket(p21d, tmp_path):
    (tmp_path / "p21d.yaml").write_text("control: [")
    assert "/run/p21d/control.sock" in p21d("status").err


def test_python_m_p21d_is_the_same_command():
    done = subprocess.run([sys.executable, "-m", "p21d", "--version"], capture_output=True, check=False, text=True)
    assert done.stdout == f"p21d {__version__}\n"


def test_a_reader_that_leaves_early_gets_no_traceback(daemon):
    command = f"{sys.executable} -m p21d status | true"
    done = subprocess.run(command, shell=True, capture_output=True, check=False, text=True)
    assert done.stderr == ""
