from __future__ import annotations

import os
import sys
from textwrap import dedent

import msgspec
import pytest

from p21d import registry
from p21d.declaration import trigger_name
from p21d.errors import ConfigError
from p21d.registry import builtin_dir, load_entities

PLUGIN = """
from __future__ import annotations

from p21d.plugin import *


class Widget(Row, frozen=True):
    widget_uid: int
    note: str | None
    delete_flag: str | None
    date_last_modified: P21Time | None


class Part(Row, frozen=True):
    part_uid: int
    widget_uid: int


PART = Related(table="part", row=Part, key=("part_uid",), match={"widget_uid": "widget_uid"})


def records(row, related):
    return Skip("nothing to send")


def entity(**changes):
    fixed = dict(name="widget", row=Widget, table="widget", key=("widget_uid",), external_id="{widget_uid}")
    return Entity(**fixed | dict(records=records, route=Route(resource="widget")) | changes)
"""


def write(folder, body, name="widget.py"):
    (folder / name).write_text(PLUGIN + dedent(body))


def declare(folder, changes="", name="widget.py"):
    write(folder, f"\n\n@hookimpl\ndef p21d_entities():\n    return [entity({changes})]\n", name)


def refusal(folder):
    with pytest.raises(ConfigError) as caught:
        load_entities([folder])
    assert caught.value.hint
    return str(caught.value)


def test_the_built_in_entities_are_loaded_from_their_files():
    loaded = load_entities()
    assert loaded.origin["product"] == str(builtin_dir() / "product.py")
    assert {"location", "company", "customer", "product", "product_inventory"} <= loaded.entities.keys()


def test_a_file_of_a_plug_in_folder_adds_its_entity(tmp_path):
    declare(tmp_path)
    loaded = load_entities([tmp_path])
    assert loaded.entities["widget"].table == "widget"
    assert loaded.origin["widget"] == str(tmp_path / "widget.py")


def test_built_in_entities_come_first(tmp_path):
    declare(tmp_path)
    assert list(load_entities([tmp_path]).entities)[-1] == "widget"


def test_a_hook_may_yield_its_entities(tmp_path):
    write(tmp_path, "@hookimpl\ndef p21d_entities():\n    yield entity()\n")
    assert "widget" in load_entities([tmp_path]).entities


def test_tests_and_private_files_are_no_plug_ins(tmp_path):
    for name in ("test_widget.py", "_shared.py", ".hidden.py", "notes.txt"):
        (tmp_path / name).write_text("raise RuntimeError")
    assert "widget" not in load_entities([tmp_path]).entities


def test_postponed_annotations_of_a_file_resolve(tmp_path):
    declare(tmp_path)
    row = load_entities([tmp_path]).entities["widget"].row
    page = b'[{"widget_uid": 1, "note": null, "delete_flag": "N", "date_last_modified": null}]'
    assert msgspec.json.decode(page, type=list[row])[0].widget_uid == 1


def test_a_reload_counts_the_new_content(tmp_path):
    declare(tmp_path, "table='first_'")
    file = tmp_path / "widget.py"
    before = file.stat()
    first = load_entities([tmp_path])
    declare(tmp_path, "table='second'")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size
    second = load_entities([tmp_path])
    assert (first.entities["widget"].table, second.entities["widget"].table) == ("first_", "second")


def test_no_bytecode_is_left_beside_a_plug_in(tmp_path):
    declare(tmp_path)
    load_entities([tmp_path])
    assert [path.name for path in tmp_path.iterdir()] == ["widget.py"]


def test_a_reload_makes_a_new_module(tmp_path):
    declare(tmp_path)
    first, second = load_entities([tmp_path]), load_entities([tmp_path])
    assert not set(first.modules) & set(second.modules)


def test_a_forgotten_set_leaves_no_module():
    loaded = load_entities()
    assert set(loaded.modules) <= sys.modules.keys()
    loaded.forget()
    assert not set(loaded.modules) & sys.modules.keys()


def test_a_refused_set_leaves_no_module(tmp_path):
    declare(tmp_path, "key=()")
    before = set(sys.modules)
    refusal(tmp_path)
    assert {name for name in set(sys.modules) - before if name.startswith("p21d_plugin_")} == set()


def test_two_files_of_one_name_are_two_modules(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        declare(tmp_path / name, f"name='{name}'")
    assert {"one", "two"} <= load_entities([tmp_path / "one", tmp_path / "two"]).entities.keys()


def test_an_installed_package_is_found_by_its_entry_point(tmp_path, monkeypatch):
    declare(tmp_path, name="acme_p21d.py")
    info = tmp_path / "acme_p21d-1.4.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-p21d\nVersion: 1.4\n")
    (info / "entry_points.txt").write_text("[p21d]\nacme = acme_p21d\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load_entities().origin["widget"] == "acme-p21d 1.4"
    sys.modules.pop("acme_p21d")


def test_a_broken_package_is_named_with_its_version(tmp_path, monkeypatch):
    info = tmp_path / "acme_p21d-1.4.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-p21d\nVersion: 1.4\n")
    (info / "entry_points.txt").write_text("[p21d]\nacme = acme_p21d_missing\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match=r"acme-p21d 1\.4: cannot be imported: ModuleNotFoundError"):
        load_entities()


def test_an_import_error_is_told_with_its_line(tmp_path):
    write(tmp_path, "import no_such_module\n")
    line = (tmp_path / "widget.py").read_text().splitlines().index("import no_such_module") + 1
    text = refusal(tmp_path)
    assert str(tmp_path / "widget.py") in text
    assert f"line {line}: import no_such_module" in text


def test_a_syntax_error_is_told_with_its_line(tmp_path):
    (tmp_path / "broken.py").write_text("x = 1\ndef (:\n")
    assert "SyntaxError" in refusal(tmp_path)
    assert "line 2: def (:" in refusal(tmp_path)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "broken.py").write_bytes(b"x = '\xff'\n")
    assert "broken.py: cannot be imported" in refusal(tmp_path)


def test_a_plug_in_that_ends_the_process_is_refused(tmp_path):
    (tmp_path / "exits.py").write_text("import sys\nsys.exit(3)\n")
    assert "cannot be imported: SystemExit: 3, line 2: sys.exit(3)" in refusal(tmp_path)


def test_a_plug_in_without_the_hook_is_refused(tmp_path):
    write(tmp_path, "")
    assert "has no p21d_entities hook" in refusal(tmp_path)


def test_a_hook_without_its_mark_is_missing(tmp_path):
    write(tmp_path, "def p21d_entities():\n    return [entity()]\n")
    assert "has no p21d_entities hook and no p21d_orders hook (define `@hookimpl" in refusal(tmp_path)


def test_a_hook_that_wants_arguments_is_refused(tmp_path):
    write(tmp_path, "@hookimpl\ndef p21d_entities(config):\n    return [entity()]\n")
    assert "cannot be registered" in refusal(tmp_path)


def test_a_hook_that_fails_is_named_and_the_others_are_not(tmp_path):
    declare(tmp_path, name="good.py")
    write(tmp_path, "@hookimpl\ndef p21d_entities():\n    return 1 / 0\n", "worse.py")
    text = refusal(tmp_path)
    assert "worse.py: its p21d_entities hook fails: ZeroDivisionError" in text
    assert "return 1 / 0" in text
    assert "good.py" not in text


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("None", "hook fails: TypeError"),
        ("entity()", "hook fails: TypeError"),
        ("'widget'", "returns str where an Entity belongs"),
        ("[entity(), {}]", "returns dict where an Entity belongs"),
        ("[Widget]", "returns StructMeta where an Entity belongs"),
        ("[]", "returns nothing where an Entity belongs"),
    ],
)
def test_a_hook_that_returns_rubbish_is_refused(tmp_path, answer, told):
    write(tmp_path, f"@hookimpl\ndef p21d_entities():\n    return {answer}\n")
    assert told in refusal(tmp_path)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ("name='Widget'", "its name is not a word"),
        ("name='a-b'", "its name is not a word"),
        ("name=''", "its name is not a word"),
        ("key=('widget_id',)", "table widget: widget_id is not a field of Widget"),
        ("page_by=('uid',)", "table widget: uid is not a field of Widget"),
        ("modified='changed'", "changed is not a field of Widget"),
        ("company='company_id'", "company_id is not a field of Widget"),
        ("deleted=DeleteConvention.ROW_STATUS_FLAG", "row_status_flag is not a field of Widget"),
        ("key=()", "a key or a match is empty"),
        ("row=dict", "its row is not a Row"),
        ("records=None", "records or parents is not a function"),
        ("external_id='widget'", "external_id 'widget' is not a template"),
        ("external_id='{}'", "external_id '{}' is not a template"),
        ("external_id='{row.id}'", "is not a template"),
        ("external_id='{widget_uid'", "its declaration cannot be read: ValueError"),
        ("parent_entities=('gadget',)", "its parent entity gadget does not exist"),
        ("optional_parents=('product',)", "optional_parents has a name that parent_entities has not"),
        ("name='product'", "has an entity of this name already"),
    ],
)
def test_a_faulty_declaration_is_refused(tmp_path, changes, told):
    declare(tmp_path, changes)
    text = refusal(tmp_path)
    assert told in text
    assert str(tmp_path / "widget.py") in text


@pytest.mark.parametrize(
    ("related", "told"),
    [
        (
            "table='part', row=Part, key=('uid',), match={'widget_uid': 'widget_uid'}",
            "uid is not a field of Part",
        ),
        ("table='part', row=Part, key=('part_uid',), match={'widget': 'widget_uid'}", "widget is not a field of Part"),
        (
            "table='part', row=Part, key=('part_uid',), match={'widget_uid': 'uid'}",
            "uid is not a field of Widget",
        ),
        ("table='part', row=Part, key=('part_uid',), match={}", "a key or a match is empty"),
        (
            "table='bin', row=Part, key=('part_uid',), match={'part_uid': 'part_uid'}, of=PART",
            "a related table is `of` one that is not in `related`",
        ),
        ("table='part', row=int, key=('part_uid',), match={'widget_uid': 'widget_uid'}", "its row is not a Row"),
    ],
)
def test_a_faulty_related_table_is_refused(tmp_path, related, told):
    declare(tmp_path, f"related=[Related({related})]")
    assert told in refusal(tmp_path)


def test_a_related_table_of_another_is_accepted(tmp_path):
    bins = "Related(table='bin', row=Part, key=('part_uid',), match={'part_uid': 'part_uid'}, of=PART)"
    declare(tmp_path, f"related=[PART, {bins}]")
    assert len(load_entities([tmp_path]).entities["widget"].related) == 2


def test_a_row_whose_types_are_unknown_is_refused(tmp_path):
    write(tmp_path, "class Odd(Row):\n    widget_uid: Unheard\n")
    with (tmp_path / "widget.py").open("a") as file:
        file.write("@hookimpl\ndef p21d_entities():\n    return [entity(row=Odd)]\n")
    assert "entity widget: its declaration cannot be read: NameError: name 'Unheard'" in refusal(tmp_path)


def test_two_entities_of_one_name_name_both_plug_ins(tmp_path):
    declare(tmp_path, name="one.py")
    declare(tmp_path, name="two.py")
    text = refusal(tmp_path)
    assert "one.py has an entity of this name already" in text
    assert f"plug-in {tmp_path / 'two.py'}, entity widget" in text


def test_a_cycle_of_required_parents_is_refused(tmp_path):
    declare(tmp_path, "name='hen', parent_entities=('egg',)", "hen.py")
    declare(tmp_path, "name='egg', parent_entities=('hen',)", "egg.py")
    assert "required parents form a cycle: " in refusal(tmp_path)


def test_an_entity_that_requires_itself_is_refused(tmp_path):
    declare(tmp_path, "parent_entities=('widget',)")
    assert "widget -> widget" in refusal(tmp_path)


def test_a_cycle_of_optional_parents_is_accepted(tmp_path):
    declare(tmp_path, "parent_entities=('widget',), optional_parents=('widget',)")
    assert load_entities([tmp_path]).entities["widget"].optional_parents == ("widget",)


def test_a_folder_that_anyone_may_write_is_refused(tmp_path):
    declare(tmp_path)
    tmp_path.chmod(0o777)
    assert f"chmod o-w {tmp_path}" in refusal(tmp_path)


def test_a_file_that_anyone_may_write_is_refused_before_it_runs(tmp_path):
    (tmp_path / "open.py").write_text("raise RuntimeError('ran')")
    (tmp_path / "open.py").chmod(0o666)
    text = refusal(tmp_path)
    assert "open.py: anyone may write it" in text
    assert "RuntimeError" not in text


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    assert "No such file or directory (correct plugin_dirs)" in refusal(tmp_path / "gone")


def test_one_folder_named_twice_is_refused(tmp_path):
    declare(tmp_path)
    with pytest.raises(ConfigError, match="cannot be registered"):
        load_entities([tmp_path, tmp_path])


def test_the_built_in_folder_of_a_wheel_goes_before_that_of_a_checkout(tmp_path, monkeypatch):
    package = tmp_path / "p21d"
    (package / "builtin_plugins").mkdir(parents=True)
    monkeypatch.setattr(registry, "__file__", str(package / "registry.py"))
    assert builtin_dir() == package / "builtin_plugins"


HOP = 'Related(table="bin", row=Part, key=("part_uid",), match={"widget_uid": "widget_uid"})'


def test_a_trigger_whose_last_hop_does_not_name_the_parent_is_refused_by_name(tmp_path):
    write(
        tmp_path,
        """
        class Bolt(Row, frozen=True):
            bolt_uid: int
            part_uid: int


        BOLT = Related(table="bolt", row=Bolt, key=("bolt_uid",), match={"part_uid": "part_uid"})
        TRIGGER = Trigger(table="part", key=("part_uid",), hops=(BOLT,))


        @hookimpl
        def p21d_entities():
            return [entity(triggers=(TRIGGER,))]
        """,
    )
    said = refusal(tmp_path)
    assert "entity widget" in said
    assert "trigger widget<bolt<part: the last hop, bolt, has no widget_uid" in said


@pytest.mark.parametrize(
    ("triggers", "fault"),
    [
        ('Trigger(table="part", key=())', "a key, a match or modified is empty"),
        ('Trigger(table="part", key=("part_uid",), modified="")', "a key, a match or modified is empty"),
        ('Trigger(table="part", key=("a",)), Trigger(table="part", key=("b",))', "two triggers are called widget<part"),
        (f'Trigger(table="crate", key=("crate_uid",), hops=(PART, {HOP[:-1]}, of=PART)))', "`of` another table"),
        (
            f"""Trigger(table="crate", key=("crate_uid",), hops=(PART, {HOP.replace('"widget_uid"}', '"shelf"}')}))""",
            "trigger widget<bin<part<crate: shelf is not a field of Part",
        ),
    ],
)
def test_a_trigger_that_cannot_be_followed_is_refused(tmp_path, triggers, fault):
    declare(tmp_path, f"triggers=({triggers},)")
    assert fault in refusal(tmp_path)


def test_two_ways_over_the_same_tables_are_told_apart_by_a_name(tmp_path):
    declare(tmp_path, 'triggers=(Trigger(table="part", key=("a",)), Trigger(table="part", key=("b",), name="spare"))')
    found = load_entities([tmp_path]).entities["widget"]
    assert [trigger_name(found, trigger) for trigger in found.triggers] == ["widget<part", "widget<spare"]


ORDERS = """
class Keys(Options, frozen=True):
    taker: str = "P21D"


def mapping(**changes):
    fixed = dict(name="mine", entity="transaction", company_entity="company", contact_entity="customer")
    functions = dict(order=lambda *_: Held("no"), mark=lambda row: OrderMark(order_no="1", customer_id=1))
    return OrderMapping(**fixed | dict(defaults=Keys) | functions | changes)


@hookimpl
def p21d_orders():
    return {answer}
"""


def map_orders(folder, answer="mapping()", name="mine.py"):
    write(folder, ORDERS.replace("{answer}", answer), name)


def test_orders_are_mapped_by_the_built_in_plug_in():
    loaded = load_entities()
    assert (loaded.orders.name, loaded.orders_origin) == ("order", str(builtin_dir() / "order.py"))


def test_a_mapping_of_a_plug_in_folder_replaces_the_built_in_one(tmp_path):
    map_orders(tmp_path)
    loaded = load_entities([tmp_path])
    assert (loaded.orders.name, loaded.orders_origin) == ("mine", str(tmp_path / "mine.py"))


def test_a_copy_of_the_built_in_mapping_replaces_it(tmp_path):
    (tmp_path / "order.py").write_text((builtin_dir() / "order.py").read_text())
    assert load_entities([tmp_path]).orders_origin == str(tmp_path / "order.py")


def test_two_mappings_beside_the_built_in_one_are_refused_by_name(tmp_path):
    map_orders(tmp_path, name="one.py")
    map_orders(tmp_path, name="two.py")
    text = refusal(tmp_path)
    assert f"plug-in {tmp_path}/two.py, orders mine: {tmp_path}/one.py maps orders already" in text


def test_one_plug_in_may_have_both_hooks(tmp_path):
    map_orders(tmp_path)
    with (tmp_path / "mine.py").open("a") as file:
        file.write("\n\n@hookimpl\ndef p21d_entities():\n    return [entity()]\n")
    loaded = load_entities([tmp_path])
    assert (loaded.orders.name, "widget" in loaded.entities) == ("mine", True)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("None", "its p21d_orders hook returns NoneType where an OrderMapping belongs"),
        ("[mapping()]", "its p21d_orders hook returns list where an OrderMapping belongs"),
        ("1 / 0", "its p21d_orders hook fails: ZeroDivisionError"),
        ("mapping(name='My Orders')", "its name is not a word"),
        ("mapping(order=None)", "order is not a function"),
        ("mapping(defaults=dict)", "defaults is not a Struct"),
        ("mapping(entity='order')", "its entity 'order' does not exist"),
        ("mapping(company_entity='firm')", "its company_entity 'firm' does not exist"),
        ("mapping(contact_entity='')", "its contact_entity '' does not exist"),
        ("mapping(entity='location')", "the route of its entity location has no children lines"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused(tmp_path, answer, told):
    map_orders(tmp_path, answer)
    text = refusal(tmp_path)
    assert "mine.py" in text
    assert told in text


def test_a_broken_mapping_does_not_leave_its_file_in_memory(tmp_path):
    map_orders(tmp_path, "1 / 0")
    before = set(sys.modules)
    refusal(tmp_path)
    assert set(sys.modules) == before
