from __future__ import annotations

import pytest

from p21d.errors import ConfigError
from p21d.references import References


def resolve(value, environment=()):
    return References(dict(environment)).resolve({"key": value}, "")["key"].reveal()


def secret_file(folder, text, mode=0o600):
    file = folder / "secret"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    file.chmod(mode)
    return file


@pytest.mark.parametrize("written", ["hunter2", "hunter2\n", "hunter2\r\n"])
def test_a_file_is_read_without_its_line_end(tmp_path, written):
    assert resolve(f"${{file:{secret_file(tmp_path, written)}}}") == "hunter2"


def test_spaces_in_a_secret_are_kept(tmp_path):
    assert resolve(f"${{file:{secret_file(tmp_path, ' a b ')}}}") == " a b "


def test_a_credential_is_read_from_systemds_folder(tmp_path):
    secret_file(tmp_path, "hunter2")
    assert resolve("${credential:secret}", {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == "hunter2"


def test_an_environment_variable_is_read():
    assert resolve("${env:P21_PASSWORD}", {"P21_PASSWORD": "hunter2"}) == "hunter2"


def test_a_reference_may_stand_inside_a_text():
    assert resolve("Bearer ${env:TOKEN}", {"TOKEN": "hunter2"}) == "Bearer hunter2"


def test_the_part_read_is_a_secret_by_itself():
    references = References({"TOKEN": "hunter2"})
    references.resolve({"key": "Bearer ${env:TOKEN}"}, "")
    assert [secret.reveal() for secret in references.secrets] == ["hunter2"]


def test_references_inside_lists_and_blocks_are_resolved():
    resolved = References({"A": "hunter2"}).resolve({"outer": [{"inner": "${env:A}"}]}, "")
    assert resolved["outer"][0]["inner"].reveal() == "hunter2"


@pytest.mark.parametrize(
    "reference",
    [
        "${env:ABSENT}",
        "${file:/nonexistent/p21d}",
        "${file:/}",
        "${credential:no-folder-set}",
        "${keyring:x}",
        "${file:a\0b}",
    ],
)
def test_a_reference_that_leads_nowhere_names_its_key(reference):
    with pytest.raises(ConfigError, match="outer") as raised:
        References({}).resolve({"outer": [reference]}, "")
    assert raised.value.path == "outer[0]"


def test_an_empty_secret_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="nothing stands in"):
        resolve(f"${{file:{secret_file(tmp_path, chr(10))}}}")


@pytest.mark.parametrize("name", ["../secret", "", ".."])
def test_a_credential_stays_in_its_folder(tmp_path, name):
    with pytest.raises(ConfigError):
        resolve(f"${{credential:{name}}}", {"CREDENTIALS_DIRECTORY": str(tmp_path)})


def test_bytes_that_are_not_text_are_refused_without_being_shown(tmp_path):
    with pytest.raises(ConfigError, match="not UTF-8") as raised:
        resolve(f"${{file:{secret_file(tmp_path, b'hunter' + bytes([255]))}}}")
    assert raised.value.__cause__ is None


def test_a_secret_file_that_everyone_may_write_is_warned_of(tmp_path):
    file = secret_file(tmp_path, "hunter2", mode=0o642)
    references = References({})
    references.resolve({"password": f"${{file:{file}}}"}, "")
    assert references.warnings == [f"password: {file} may be written by everyone (chmod o-w {file})"]


def test_a_secret_file_that_everyone_can_read_is_warned_of(tmp_path):
    file = secret_file(tmp_path, "hunter2", mode=0o644)
    references = References({})
    references.resolve({"password": f"${{file:{file}}}"}, "")
    assert references.warnings == [f"password: {file} is readable by everyone (chmod o-r {file})"]
