"""The shipped units, judged by systemd-analyze itself where the machine has it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parent.parent / "systemd"
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")


def analyze(*arguments):
    command = ["systemd-analyze", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def exposure(unit):
    words = analyze("security", "--offline=true", "--no-pager", unit).stdout
    return float(re.search(r"Overall exposure level for \S+: ([\d.]+)", words)[1])


def without_comments(name):
    return [line for line in (UNITS / name).read_text().splitlines() if line and not line.startswith("#")]


@needs_systemd
@pytest.mark.parametrize("name", ["p21d.service", "p21d@.service"])
def test_a_unit_alone_is_exposed_by_at_most_one_point_two(tmp_path, name):
    shutil.copy(UNITS / name, tmp_path)  # away from its drop-in
    assert exposure(tmp_path / name) <= 1.2


@needs_systemd
@pytest.mark.parametrize("name", ["p21d.service", "p21d@.service"])
def test_with_listed_addresses_it_is_exposed_by_at_most_one(tmp_path, name):
    shutil.copy(UNITS / name, tmp_path)
    shutil.copytree(UNITS / "p21d.service.d", tmp_path / f"{name}.d")
    assert exposure(tmp_path / name) <= 1.0


@needs_systemd
@pytest.mark.parametrize(("name", "copy"), [("p21d.service", "p21d.service"), ("p21d@.service", "p21d@acme.service")])
def test_systemd_finds_nothing_to_say_about_a_unit(tmp_path, name, copy):
    text = (UNITS / name).read_text().replace("/opt/p21d/bin/p21d", "/bin/true")
    (tmp_path / copy).write_text(text)
    verified = analyze("verify", tmp_path / copy)
    assert (verified.returncode, verified.stderr) == (0, "")


def test_the_instance_unit_differs_in_its_names_only():
    plain, instance = without_comments("p21d.service"), without_comments("p21d@.service")
    differing = [one.split("=")[0] for one, other in zip(plain, instance, strict=True) if one != other]
    assert differing == ["Description", "Environment", "StateDirectory", "RuntimeDirectory"]


def test_a_wrong_configuration_is_not_started_again():
    assert "RestartPreventExitStatus=64 78" in without_comments("p21d.service")
