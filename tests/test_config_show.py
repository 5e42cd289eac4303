from __future__ import annotations

import json

import pytest
import yaml

from p21d.config_file import load_config
from p21d.config_show import redacted

FILE = """
prophet21: {{api_url: "https://p21.example.com", username: ipaas, password: "${{file:{secret}}}",
            time_zone: America/New_York, timeout: 90s}}
sink: {{type: webhook, url: "https://hooks.example.com/${{env:HOOK}}", secret: sinksecret, system_id: 7}}
store: {{min_free: 1GB}}
"""


@pytest.fixture
def config(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hunter22")
    file = tmp_path / "p21d.yaml"
    file.write_text(FILE.format(secret=secret))
    return load_config(file, environment={"HOOK": "hookhook"})


@pytest.mark.parametrize("secret", ["hunter22", "hookhook", "sinksecret"])
def test_no_secret_is_shown(config, secret):
    assert secret not in json.dumps(redacted(config))


def test_a_secret_shows_the_reference_it_was_read_through(config):
    assert redacted(config)["prophet21"]["password"].startswith("${file:/")


def test_numbers_are_shown_as_they_are_written(config):
    shown = redacted(config)
    assert (shown["prophet21"]["timeout"], shown["store"]["min_free"], shown["sink"]["system_id"]) == ("90s", "1GB", 7)


def test_what_is_shown_loads_again(config, tmp_path):
    file = tmp_path / "again.yaml"
    file.write_text(yaml.safe_dump(redacted(config)))
    again = load_config(file, environment={"HOOK": "hookhook"})
    assert redacted(again) == redacted(config)
