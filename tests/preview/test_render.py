"""What a preview prints, and the command that prints it."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from preview import render
from preview.__main__ import main
from preview.plan import STACK_TYPE, Finding, Plan, Resource
from preview.project import stacks
from preview.show import show

from ..support import ROOT


def resource(urn: str, type_: str, parent: str = "root", **changes: object) -> Resource:
    made = Resource(
        urn=urn,
        type=type_,
        name=urn,
        custom=not type_.startswith("plinth:") and type_ != STACK_TYPE,
        parent=parent,
        inputs={},
        dependencies=[],
        property_dependencies={},
        provider="",
        protect=False,
        aliases=[],
        options={},
    )
    return replace(made, **changes)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def plan() -> Plan:
    return Plan(
        stack="dev",
        project="shop",
        resources=[
            resource("root", STACK_TYPE, ""),
            resource("cloud", "pulumi:providers:aws", inputs={"region": "eu-west-1"}),
            resource("net", "plinth:index:Net"),
            resource("vpc", "aws:ec2/vpc:Vpc", "net", protect=True, inputs={"cidrBlock": "10.0.0.0/16"}),
            resource("one", "aws:ec2/subnet:Subnet", "net", dependencies=["vpc"]),
            resource("two", "aws:ec2/subnet:Subnet", "net", dependencies=["vpc"]),
            resource("inner", "plinth:index:Group", "net"),
            resource("rule", "aws:ec2/rule:Rule", "inner"),
            resource("db", "plinth:index:Db"),
            resource("instance", "aws:rds/instance:Instance", "db", dependencies=["one"]),
            resource("app", "plinth:index:App"),
            resource("task", "aws:ecs/task:Task", "app", dependencies=["instance", "vpc"]),
            resource("twin", "plinth:index:App"),
            resource("job", "aws:ecs/task:Task", "twin", dependencies=["instance"]),
        ],
        outputs={"host": "[unknown]", "many": ["x" * 100]},
        warnings=["careful"],
        findings=[Finding("rds-multi-az", "instance", "has no standby", ["CKV_AWS_157"])],
    )


def test_text_is_a_summary_of_parts_outputs_warnings_and_findings(plan: Plan) -> None:
    assert render.text(plan, "shop, dev").splitlines() == [
        "Stack dev  (shop, dev)",
        "7 resources to make, 1 of them protected",
        "",
        "├─ cloud  provider aws     eu-west-1",
        "├─ app    App           1  Task",
        "├─ db     Db            1  Instance",
        "├─ net    Net           4  2 Subnet, Vpc, Rule",
        "└─ twin   App           1  Task",
        "",
        "Outputs (2)",
        "  host  [unknown]",
        '  many  ["' + "x" * 87 + "…",
        "",
        "Warnings (1)",
        "  careful",
        "",
        "Policy findings (1)",
        "  rds-multi-az: instance: has no standby [CKV_AWS_157]",
        "",
        "This is what the program asks for. What exists already, and what the providers themselves check, only the",
        "engine's preview knows: pulumi preview --stack dev",
    ]


def test_an_empty_output_is_shown_as_one(plan: Plan) -> None:
    assert '  none  ""' in render.text(replace(plan, outputs={"none": ""}), "shop").splitlines()


def test_the_second_region_is_said_to_be_one() -> None:
    first, *_ = show(ROOT, "prod", "text", full=False).output.splitlines()
    assert first == "Stack prod  (skipper, aws, prod, eu-central-1, copies in eu-west-1)"


def test_full_text_shows_every_resource_with_its_inputs(plan: Plan) -> None:
    shown = render.text(plan, full=True)
    assert "  aws:ec2/vpc:Vpc  vpc  (protected)\n      cidrBlock: 10.0.0.0/16\n" in shown
    assert '["' + "x" * 100 + '"]' in shown
    assert "pulumi:providers:aws  cloud" not in shown


def test_json_is_the_whole_plan(plan: Plan) -> None:
    shown = json.loads(render.as_json(plan))
    assert list(shown) == ["stack", "project", "resources", "outputs", "warnings", "findings"]
    assert shown["resources"][3]["inputs"] == {"cidrBlock": "10.0.0.0/16"}
    assert {"urn", "type", "name", "parent", "inputs", "dependencies", "provider", "protect", "aliases"} <= set(
        shown["resources"][3]
    )


def test_mermaid_draws_what_each_part_is_made_after_without_what_longer_ways_imply(plan: Plan) -> None:
    assert render.mermaid(plan).splitlines() == [
        "flowchart LR",
        '  p0["net<br/><i>Net</i>"]',
        '  p1["db<br/><i>Db</i>"]',
        '  p2["app<br/>twin<br/><i>App</i>"]',
        "  p2 --> p1",
        "  p1 --> p0",
    ]


def test_a_plan_finds_what_a_resource_waits_for_at_any_distance(plan: Plan) -> None:
    assert plan.waits_for("task") == {"instance", "one", "vpc"}


def test_the_command_shows_a_stack(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dev"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Stack dev  (skipper, aws, dev, eu-central-1)\n")
    assert "Policy findings (0)" in shown


def test_an_unknown_stack_is_told_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devv"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    here = ", ".join(stacks(ROOT))
    assert err == f"no stack `devv`: there is no Pulumi.devv.yaml; the stacks here are {here}\n"


def run(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "preview", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_all_stacks_are_shown_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a project that has only the quick ones."""
    quick = ["account-aws", "account-gcp"]
    for name in ("__main__.py", "Pulumi.yaml", *(f"Pulumi.{stack}.yaml" for stack in quick)):
        (tmp_path / name).symlink_to(ROOT / name)
    assert main(["--all", "--format", "json"], tmp_path) == 0
    assert [plan["stack"] for plan in json.loads(capsys.readouterr().out)] == quick


def test_a_stack_that_fails_keeps_no_other_from_being_shown() -> None:
    result = run("account-aws", "nowhere")
    assert result.returncode == 1
    assert result.stdout.startswith("Stack account-aws")
    assert result.stderr.startswith("no stack `nowhere`")


def test_bad_settings_are_told_together_and_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("__main__.py", "Pulumi.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    content = (
        (ROOT / "Pulumi.dev.yaml").read_text().replace("tier: dev", "tier: devel").replace("10.20.0.0/16", "10.20.0.0")
    )
    (tmp_path / "Pulumi.dev.yaml").write_text(content)
    assert main(["dev"], tmp_path) == 1
    assert capsys.readouterr().err == (
        "Pulumi.dev.yaml: 2 problems\n"
        "  plinth:tier=devel: did you mean `dev`? choose one of dev, staging, prod\n"
        "  plinth:network.cidr=10.20.0.0/32: too small for 8 zones; give a block from /16 to /20\n"
    )
