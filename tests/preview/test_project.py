"""Reading the project's files as the engine does."""

import json
from pathlib import Path

import pytest

from preview.project import PreviewError, configuration, stacks

PROJECT = """
name: shop
config:
  size: {type: string, default: small}
  rooms: {type: object, default: {}}
  open: {type: boolean, default: false}
  other:value: {default: 5}
  old: plain
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    (tmp_path / "Pulumi.dev.yaml").write_text(
        "config:\n"
        "  size: large\n"
        "  shop:rooms: {a: {b: [1, two]}}\n"
        "  aws:region: eu-west-1\n"
        "  shop:token: {secure: v1:abc}\n"
        "  shop:nested: {user: me, password: {secure: v1:abc}, list: [{secure: x}]}\n"
        "encryptionsalt: v1:salt\n"
    )
    (tmp_path / "Pulumi.empty.yaml").write_text("config:\n")
    return tmp_path


def test_the_stack_lies_over_the_defaults(project: Path) -> None:
    values = configuration(project, "dev").values
    assert values["shop:size"] == "large"
    assert json.loads(values["shop:rooms"]) == {"a": {"b": [1, "two"]}}
    assert values["shop:open"] == "false"
    assert values["other:value"] == "5"
    assert values["aws:region"] == "eu-west-1"


def test_encrypted_values_are_secrets_without_their_text(project: Path) -> None:
    given = configuration(project, "dev")
    assert given.secrets == {"shop:token", "shop:nested"}
    assert given.values["shop:token"] == "[secret]"
    assert json.loads(given.values["shop:nested"]) == {"user": "me", "password": "[secret]", "list": ["[secret]"]}
    assert "v1:abc" not in str(given)


def test_a_stack_without_configuration_has_the_defaults(project: Path) -> None:
    assert configuration(project, "empty").values["shop:size"] == "small"


def test_stacks_are_those_with_a_file(project: Path) -> None:
    assert stacks(project) == ["dev", "empty"]


def test_an_unknown_stack_is_refused_with_those_that_there_are(project: Path) -> None:
    with pytest.raises(
        PreviewError, match=r"no stack `prd`: there is no Pulumi\.prd\.yaml; the stacks here are dev, empty"
    ):
        configuration(project, "prd")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("config: [\n", r"Pulumi\.dev\.yaml is no YAML: .*line 2"),
        ("- a\n", r"Pulumi\.dev\.yaml is no mapping"),
        ("config:\n  - size: large\n", r"Pulumi\.dev\.yaml: `config` is no mapping; write a line `<key>: <value>` for"),
        ("config: large\n", r"Pulumi\.dev\.yaml: `config` is no mapping"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(project: Path, content: str, message: str) -> None:
    (project / "Pulumi.dev.yaml").write_text(content)
    with pytest.raises(PreviewError, match=message):
        configuration(project, "dev")
