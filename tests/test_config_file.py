from __future__ import annotations

import os

import pytest

from p21d.config import Config, EntityConfig
from p21d.config_file import control_socket, load_config
from p21d.errors import ConfigError, PermissionRefused
from p21d.secret import Secret

SMALL = """
prophet21: {api_url: "https://p21.example.com/", username: ipaas, password: hunter22, time_zone: America/New_York}
sink: {type: jsonl, directory: /tmp}
"""


@pytest.fixture
def write(tmp_path):
    def write_file(text, mode=0o600):
        file = tmp_path / "p21d.yaml"
        file.write_text(text)
        file.chmod(mode)
        return file

    return write_file


def refusal(file):
    with pytest.raises(ConfigError) as raised:
        load_config(file)
    return raised.value


def test_a_small_file_gets_every_default(write):
    config = load_config(write(SMALL))
    assert (config.concurrent_batch_executions, config.batch_rows, config.entities) == (10, 100, {})


def test_an_entity_that_is_not_named_is_on_with_its_defaults(write):
    assert load_config(write(SMALL)).entity("customer") == EntityConfig(enabled=True, poll_search_days=4)


def test_a_named_entity_keeps_what_it_says(write):
    config = load_config(write(SMALL + "entities: {customer: {poll_search_days: 9, poll_interval: 1m}, product: }"))
    assert (config.entity("customer").poll_search_days, config.entity("customer").poll_interval) == (9, 60.0)


def test_null_means_the_default(write):
    config = load_config(write(SMALL + "batch_rows: null\nentities: null\nlog: {level: null}"))
    assert (config.batch_rows, config.entities, config.log.level) == (100, {}, "info")


def test_the_address_loses_its_last_slash(write):
    assert load_config(write(SMALL)).prophet21.api_url == "https://p21.example.com"


def test_the_example_of_the_design_loads(write):
    file = write(SMALL + "orders: {enabled: false, not_before: 2026-12-01, poll_interval: 1m}")
    assert isinstance(load_config(file), Config)


def test_a_password_written_in_the_file_is_a_secret(write):
    config = load_config(write(SMALL))
    assert config.prophet21.password == Secret("hunter22")
    assert config.secrets == (Secret("hunter22"),)
    assert "hunter22" not in repr(config)


def test_a_secret_of_the_sink_is_known_before_the_sink_is_built(write):
    config = load_config(write(SMALL.replace("directory: /tmp", "api_key: hubhub22, headers: {X-Token: toktok}")))
    assert "hubhub22" not in repr(config)
    assert {Secret("hubhub22"), Secret("toktok")} <= set(config.secrets)


def test_a_file_with_a_password_that_everyone_can_read_is_warned_of(write):
    config = load_config(write(SMALL, mode=0o644))
    assert config.warnings == (
        f"{config.source} holds a secret and is readable by everyone (chmod o-r {config.source})",
    )


def test_an_open_file_without_a_password_needs_no_warning(write):
    file = write(SMALL.replace("hunter22", "'${env:P}'"), mode=0o644)
    assert load_config(file, environment={"P": "hunter22"}).warnings == ()


def test_a_reference_is_read_from_the_environment_given(write):
    config = load_config(write(SMALL.replace("hunter22", "'${env:P}'")), environment={"P": "from-env"})
    assert config.prophet21.password == Secret("from-env")


def test_a_missing_file_says_how_to_name_another(tmp_path):
    error = refusal(tmp_path / "absent.yaml")
    assert error.exit_code == os.EX_CONFIG
    assert "--config or P21D_CONFIG" in str(error)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_is_refused_as_such(write):
    with pytest.raises(PermissionRefused):
        load_config(write(SMALL, mode=0))


def test_a_folder_is_not_a_configuration(tmp_path):
    assert "no configuration at" in str(refusal(tmp_path))


@pytest.mark.parametrize("text", ["", "- a", "just words", "3"])
def test_a_file_that_is_no_block_is_refused(write, text):
    assert isinstance(refusal(write(text)), ConfigError)


def test_a_key_that_stands_twice_is_refused_with_its_line(write):
    assert "line 5, key batch_rows" in str(refusal(write(SMALL + "batch_rows: 1\nbatch_rows: 2")))


@pytest.mark.parametrize("password", ["*hunter22", "!hunter22", "'hunter22", "@hunter22", "%hunter22", "{hunter22"])
def test_broken_yaml_is_refused_without_quoting_the_file(write, password):
    error = refusal(write(SMALL.replace("hunter22", password)))
    assert "hunter22" not in str(error)
    assert error.__cause__ is None


def test_a_date_that_does_not_exist_is_refused(write):
    assert "does not allow" in str(refusal(write(SMALL + "orders: {not_before: 2026-13-45}")))


def test_bytes_that_are_not_text_are_refused(tmp_path):
    file = tmp_path / "p21d.yaml"
    file.write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in str(refusal(file))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prophet22: {}", "prophet22: unknown key (did you mean prophet21?)"),
        ("entities: {customer: {pol_interval: 1m}}", "entities.customer.pol_interval: unknown key (did you mean"),
        ("entities: {customer: {poll_search_days: -1}}", "entities.customer.poll_search_days: expected a number >= 0"),
        ("entities: {customer: {poll_interval: 0}}", "entities.customer.poll_interval: expected a number >= 0.1"),
        ("concurrent_batch_executions: 0", "concurrent_batch_executions: expected a whole number >= 1"),
        ("concurrent_batch_executions: ten", "concurrent_batch_executions: expected a whole number, got text"),
    ],
)
def test_a_wrong_key_is_refused_with_its_path(write, text, message):
    assert str(refusal(write(SMALL + text))).startswith(message)


def test_the_socket_is_found_without_reading_secrets(write):
    file = write(SMALL.replace("hunter22", "'${file:/nonexistent}'") + "control: {socket: /run/x.sock}")
    assert str(control_socket(file)) == "/run/x.sock"


def test_the_socket_has_a_default(write):
    assert str(control_socket(write(SMALL))) == "/run/p21d/control.sock"


def test_a_file_that_everyone_may_write_is_warned_of_whatever_it_holds(write):
    file = write(SMALL.replace("hunter22", "'${env:P}'"), mode=0o642)
    (warning,) = load_config(file, environment={"P": "hunter22"}).warnings
    assert f"chmod o-w {file}" in warning
