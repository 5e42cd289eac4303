"""External-id templates that cannot work are refused before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from p21d.cli import main
from p21d.config import EntityConfig
from p21d.errors import ConfigError
from p21d.external_ids import check_external_id
from p21d.plugin import DeleteConvention, Row
from p21d.registry import load_entities
from p21d.settings import read_settings
from tests.engine.world import part_entity

EXAMPLE = Path(__file__).parents[2] / "p21d.example.yaml"


class Sold(Row, frozen=True):
    """A row with a company column."""

    company_id: str
    part_id: int
    date_last_modified: str | None = None


def sold(**changes: Any) -> Any:
    values = {"row": Sold, "company": "company_id", "deleted": DeleteConvention.NONE, **changes}
    return part_entity(**values)


def refusal(entity: Any, template: str = "", companies: tuple[str, ...] = ("01",), **settings: Any) -> ConfigError:
    with pytest.raises(ConfigError) as refused:
        check_external_id(entity, EntityConfig(external_id=template, **settings), companies)
    return refused.value


def test_a_template_asks_only_for_what_records_give(registry):
    check_external_id(registry.entities["product"], EntityConfig(external_id="{inv_mast_uid}"), ("01",))
    error = refusal(registry.entities["product"], "{item_uid}")
    assert error.path == "entities.product.external_id"
    assert "{item_uid}" in error.message


def test_a_misspelt_value_is_met_with_the_nearest(registry):
    assert "did you mean company_id" in refusal(registry.entities["company"], "{compny_id}-{customer_id}").hint


@pytest.mark.parametrize("companies", [("01", "02"), ()])
def test_an_id_that_repeats_in_another_company_is_refused(registry, companies):
    error = refusal(registry.entities["company"], companies=companies)
    assert error.path == "entities.company.external_id"
    assert "not unique over several companies" in error.message
    assert 'entities.company.external_id to "{company_id}-{customer_id}"' in error.hint


def test_one_company_needs_no_company_in_the_id(registry):
    check_external_id(registry.entities["company"], EntityConfig(), ("01",))


def test_the_company_in_the_template_is_enough(registry):
    settings = EntityConfig(external_id="{company_id}-{customer_id}")
    check_external_id(registry.entities["company"], settings, ("01", "02"))


@pytest.mark.parametrize("name", ["location", "customer", "product", "product_inventory"])
def test_ids_that_are_unique_over_companies_are_accepted(registry, name):
    check_external_id(registry.entities[name], EntityConfig(), ("01", "02"))


def test_an_entity_that_is_off_is_not_asked(registry):
    check_external_id(registry.entities["company"], EntityConfig(enabled=False), ("01", "02"))


def test_a_plug_in_says_itself_that_its_ids_are_unique():
    assert "not unique" in refusal(sold(), companies=("01", "02")).message
    check_external_id(sold(unique_without_company=True), EntityConfig(), ("01", "02"))


def test_a_plug_in_that_gives_no_company_can_only_be_read_for_one():
    hint = refusal(sold(), companies=("01", "02")).hint
    assert "entities.part.enabled" in hint


async def test_check_refuses_what_a_start_would(tmp_path, served, capsys):
    path = tmp_path / "p21d.yaml"
    path.write_text(served.config(tmp_path).replace("  company:", "  # company:"))
    path.chmod(0o600)
    assert main(["--config", str(path), "check"]) == 78
    assert "entities.company.external_id" in capsys.readouterr().err


async def test_the_sandboxs_configuration_is_accepted(tmp_path, served):
    path = tmp_path / "p21d.yaml"
    path.write_text(served.config(tmp_path))
    path.chmod(0o600)
    config, _ = read_settings(path)
    assert config.entity("company").external_id == "{company_id}-{customer_id}"


def test_the_example_is_accepted(tmp_path):
    secret, path = tmp_path / "p21-password", tmp_path / "p21d.yaml"
    for file, text in (
        (secret, "hunter22"),
        (path, EXAMPLE.read_text().replace("/etc/p21d/p21-password", str(secret))),
    ):
        file.write_text(text)
        file.chmod(0o600)
    read_settings(path)


async def test_a_customer_of_two_companies_collides_by_name_and_says_with_whom(engine):
    names = {row["customer_id"]: row["customer_name"] for row in engine.p21.rows("customer", {"company_id": "01"})}
    others = engine.p21.rows("customer", {"company_id": "02"})
    twice = [row["customer_id"] for row in others if names.get(row["customer_id"]) == row["customer_name"]]
    assert twice
    await engine.sweep("company")
    letters = await engine.letters("company")
    # whichever of the two came second names the one that came first
    assert sorted(key.partition("|")[2] for key in letters) == sorted(map(str, twice))
    for key, letter in letters.items():
        company, _, number = key.partition("|")
        assert f"{'02' if company == '01' else '01'}-{number}" in letter["error"]


def test_every_built_in_entity_gives_what_it_declares():
    for entity in load_entities().entities.values():
        assert not set(entity.external_id_values) & set(entity.external_id.strip("{}").split("}|{"))
