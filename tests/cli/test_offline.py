from __future__ import annotations

import json


def test_a_good_configuration_passes_the_check(p21d, config_file):
    ended = p21d("check")
    assert (ended.code, "widget" in ended.out) == (0, True)


def test_a_bad_key_fails_the_check_with_78(p21d, config_file):
    config_file.write_text(config_file.read_text() + "\nsinkk: {}\n")
    ended = p21d("check")
    assert (ended.code, ended.err) == (78, "p21d: sinkk: unknown key\n  did you mean sink?\n")


def test_a_failed_check_is_json_too(p21d, config_file):
    config_file.write_text(config_file.read_text() + "\nsinkk: {}\n")
    assert json.loads(p21d("check", "--json").out)["good"] is False


def test_an_entity_no_plugin_has_fails_the_check(p21d, config_file):
    config_file.write_text(config_file.read_text().replace("  customer:", "  custmer:"))
    assert "entities.custmer" in p21d("check").err


def test_a_broken_plugin_fails_the_check_by_its_file(p21d, config_file):
    (config_file.parent / "plugins" / "bad.py").write_text("1/0")
    ended = p21d("check")
    assert (ended.code, "bad.py" in ended.err) == (78, True)


def test_a_missing_configuration_exits_78(p21d):
    assert p21d("check").code == 78


def test_plugins_are_listed_with_their_file(p21d, config_file):
    line = next(line for line in p21d("plugins", "list").out.splitlines() if line.startswith("widget"))
    assert line.split() == ["widget", "on", "widget", "widget_id", str(config_file.parent / "plugins" / "widget.py")]


def test_plugins_as_json_have_their_key(p21d, config_file):
    found = json.loads(p21d("plugins", "list", "--json").out)["entities"]
    assert next(entry for entry in found if entry["entity"] == "widget")["key"] == ["widget_id"]


def test_config_show_has_every_key_resolved(p21d, config_file):
    assert "concurrent_batch_executions: 10" in p21d("config", "show").out


def test_config_show_has_no_secret(p21d, config_file):
    ended = p21d("config", "show", "--json")
    assert (ended.code, "hunter2" in ended.out + ended.err) == (0, False)
