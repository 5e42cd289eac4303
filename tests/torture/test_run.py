"""A daemon with a planted bug does not get through, and neither does one that does not live."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from p21d.cli import main

ROOT = Path(__file__).parent.parent.parent
NARROW_SEED = "3"
"""Trouble begins in step, and no sweep looks back: what a watermark has jumped over stays lost."""


@pytest.fixture(autouse=True)
def doubles(monkeypatch, tmp_path):
    """Let the daemon process find the doubles of this folder, and keep what is left behind in the test's own."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_a_watermark_that_runs_ahead_is_found_with_its_seed_and_how_to_replay_it(capsys):
    code = main(["torture", "--seed", NARROW_SEED, "--seconds", "2", "--daemon", "tests.torture.early"])
    printed = capsys.readouterr()
    assert code == 1
    assert "seed 3, lost:" in printed.err
    assert "p21d torture --seed 3 --seconds 2" in printed.err
    assert printed.out.startswith("seeds 1, kills 0, faults ")
    assert "lost 0" not in printed.out


def test_a_daemon_that_ends_by_itself_is_broken_and_its_folder_is_kept(capsys):
    code = main(["torture", "--seed", "4", "--seconds", "2", "--daemon", "tests.torture.stillborn", "--json"])
    printed = capsys.readouterr()
    assert code == 1
    assert "no daemon at all" in printed.err
    report = json.loads(printed.out)
    assert report["failed"] == [4]
    assert (Path(report["runs"][0]["folder"]) / "p21d.log").exists()


def test_every_line_fits_a_terminal(capsys):
    main(["torture", "--seed", "4", "--seconds", "2", "--daemon", "tests.torture.stillborn"])
    printed = capsys.readouterr()
    lines = [line for line in (printed.err + printed.out).splitlines() if "/" not in line]  # a path is not broken
    assert max(map(len, lines)) <= 80


def test_the_schedule_is_shown_and_nothing_runs(capsys):
    assert main(["torture", "--seed", "5", "--seconds", "20", "--show"]) == 0
    first = capsys.readouterr().out
    assert main(["torture", "--seed", "5", "--seconds", "20", "--show"]) == 0
    assert capsys.readouterr().out == first
    assert first.startswith("seed 5: 20 s of trouble")
    assert " kill" in first


def test_a_machine_without_room_for_it_gets_a_clean_error(capsys, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    assert main(["torture", "--seed", "1"]) == 69
    printed = capsys.readouterr()
    assert "torture cannot run here" in printed.err
    assert "Traceback" not in printed.err
