from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from p21d.errors import ConfigError
from p21d.plugin_safety import refuse_writable_plugins

SOMEBODY = 65533
AS_SOMEBODY = """
import os, sys
from pathlib import Path
from p21d.errors import ConfigError
from p21d.plugin_safety import refuse_writable_plugins
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
try:
    refuse_writable_plugins([Path(sys.argv[1])], os.geteuid())
except ConfigError as error:
    print(error)
"""
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="changes its user")


@pytest.fixture
def plugins():
    """A folder with one plug-in that everybody may read and its owner write, where other users reach it."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "plugins"
        folder.mkdir(mode=0o755)
        Path(place).chmod(0o755)
        (folder / "mine.py").write_text("")
        (folder / "mine.py").chmod(0o644)
        yield folder
        folder.chmod(0o755)


def refusal(folder: Path, uid: int = 0) -> str:
    with pytest.raises(ConfigError) as raised:
        refuse_writable_plugins([folder], uid)
    assert raised.value.exit_code == 78
    return str(raised.value)


def as_somebody(folder: Path) -> str:
    """Return what a process of somebody who is not root is refused with."""
    command = [sys.executable, "-c", AS_SOMEBODY, str(folder), str(SOMEBODY)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_what_only_root_may_write_is_accepted_from_root(plugins):
    refuse_writable_plugins([plugins], 0)


@pytest.mark.parametrize(("mode", "who"), [(0o664, "its group"), (0o646, "everyone")])
def test_a_file_that_group_or_others_may_write_is_refused_whoever_runs(mode, who, plugins):
    (plugins / "mine.py").chmod(mode)
    text = refusal(plugins)
    assert f"{plugins}/mine.py may be written by {who}" in text
    assert f"chmod go-w {plugins}/mine.py" in text


def test_a_folder_that_its_group_may_write_is_refused(plugins):
    plugins.chmod(0o775)
    assert f"chmod go-w {plugins}" in refusal(plugins)


def test_a_link_into_a_folder_that_others_may_write_is_refused(plugins):
    outside = plugins.parent / "outside"
    outside.mkdir()
    outside.chmod(0o777)
    (outside / "theirs.py").write_text("")
    (outside / "theirs.py").chmod(0o644)
    (plugins / "theirs.py").symlink_to(outside / "theirs.py")
    assert str(outside) in refusal(plugins)


def test_a_plug_in_of_the_user_who_runs_the_daemon_is_refused(plugins):
    text = refusal(plugins, uid=os.geteuid() or 1)  # root may write it too, as that user
    assert "the user who runs p21d" in text
    assert f"chown root {plugins}" in text
    assert f"chmod a-w {plugins}" in text


@root_only
def test_a_service_user_is_refused_its_own_folder(plugins):
    os.chown(plugins, SOMEBODY, SOMEBODY)
    assert f"{plugins} may be written by the user who runs p21d ({SOMEBODY})" in as_somebody(plugins)


@root_only
def test_a_service_user_runs_what_root_owns(plugins):
    assert as_somebody(plugins) == ""


def test_a_person_runs_an_own_plug_in_that_nobody_may_write(plugins):
    for path in (plugins / "mine.py", plugins):
        os.chown(path, SOMEBODY if os.geteuid() == 0 else -1, -1)
        path.chmod(path.stat().st_mode & ~0o222)
    assert as_somebody(plugins) == ""


def test_a_folder_that_is_not_there_is_left_to_who_loads_it(tmp_path):
    refuse_writable_plugins([tmp_path / "gone"], 0)
