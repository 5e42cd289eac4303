"""The wheel is whole: it carries the built-in entities, the units and the example, and runs without the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
UNITS = [path.relative_to(ROOT / "systemd") for path in (ROOT / "systemd").rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build it in this environment, so that no package index is needed."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*command, f"--wheel-dir={folder}", str(ROOT)], check=True, capture_output=True, timeout=60)
    [built] = folder.glob("*.whl")
    return zipfile.ZipFile(built)


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Unpack it as pip does; its folder comes before the checkout for a command run with `PYTHONPATH`."""
    folder = tmp_path_factory.mktemp("site-packages")
    wheel.extractall(folder)
    return folder


def p21d(installed, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "p21d", *map(str, arguments)]
    return subprocess.run(
        command, env=environment, cwd=installed, capture_output=True, text=True, timeout=60, check=False
    )


def test_each_built_in_entity_is_in_the_wheel(wheel):
    expected = {f"p21d/builtin_plugins/{path.name}" for path in (ROOT / "plugins").glob("*.py")}
    assert {name for name in wheel.namelist() if name.startswith("p21d/builtin_plugins/")} == expected


def test_each_module_is_in_the_wheel(wheel):
    expected = {str(path.relative_to(ROOT)) for path in (ROOT / "p21d").rglob("*.py")}
    assert expected <= set(wheel.namelist())


@pytest.mark.parametrize("unit", UNITS, ids=str)
def test_a_systemd_file_is_in_the_wheel_unchanged(wheel, unit):
    assert wheel.read(f"p21d/systemd_units/{unit}") == (ROOT / "systemd" / unit).read_bytes()


@pytest.mark.parametrize(
    "name", ["p21d/p21d.example.yaml", "p21d/py.typed", "p21d/sandbox/prophet21/columns.txt", "licenses/LICENSE"]
)
def test_a_data_file_is_in_the_wheel(wheel, name):
    assert [entry for entry in wheel.namelist() if entry.endswith(name)]


def test_nothing_else_is_in_the_wheel(wheel):
    tops = {name.split("/")[0].partition("-")[0] for name in wheel.namelist()}
    assert (tops, [name for name in wheel.namelist() if "__pycache__" in name]) == ({"p21d"}, [])


def test_the_installed_wheel_finds_its_own_entities(installed, tmp_path):
    config = tmp_path / "p21d.yaml"
    config.write_text(
        "prophet21: {api_url: 'https://p21.example.com', username: p21d, password: '${env:HOME}', time_zone: UTC}\n"
        f"sink: {{type: jsonl, directory: {tmp_path}}}\n"
    )
    listed = p21d(installed, "--config", config, "plugins", "list", "--json")
    found = json.loads(listed.stdout)
    origins = {entity["entity"]: entity["plugin"] for entity in found["entities"]}
    origins[found["orders"]["mapping"]] = found["orders"]["plugin"]
    expected = {path.stem: str(installed / "p21d/builtin_plugins" / path.name) for path in ROOT.glob("plugins/*.py")}
    assert origins == expected


def test_the_installed_wheel_runs_the_demo(installed):
    ended = p21d(installed, "demo", "--rows=20")
    assert (ended.returncode, "product_inventory" in ended.stdout) == (0, True), ended.stderr
