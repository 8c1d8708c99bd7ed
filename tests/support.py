"""What tests share: recording a program, and a cloud that answers."""

import json
import os
import pickle
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_gcp as gcp
import pulumi_random as random
import pytest

from components.problems import InputError
from preview.answers import made_up
from preview.plan import Plan
from preview.project import Configuration, configuration
from preview.record import Answer, Recording, record

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "__main__.py"
SHARED = "PLINTH_TESTS_SHARED"
"""Variable that names the folder in which the processes of a test run keep what each of them would record."""
ACCOUNT = "123456789012"
REGION = "eu-central-1"
SCOPE = {"account": ACCOUNT, "region": REGION}
PROJECT, PROJECT_NUMBER = "plinth-123456", "123456789012"
GCP_REGION = "europe-west3"
NO_DEFAULTS = Configuration("plinth", "test", {"pulumi:disable-default-providers": '["*"]'}, frozenset())
SENTINEL = "sentinel-never-to-be-seen"
"""What a generated password is in an update: it must never stand anywhere outside a secret."""


def known(type_: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """What a cloud would return, so that every value is known, with the sentinel as every generated password."""
    answers = made_up(type_, name, inputs)
    if type_ == "random:index/randomPassword:RandomPassword":
        answers["result"] = SENTINEL
    return answers


def recorded(
    program: Path | Callable[[], object], configuration: Configuration = NO_DEFAULTS, answer: Answer | None = None
) -> Recording:
    """Run a program and return what it registered: as a preview, or with an `answer` as an update."""
    return record(configuration, program if isinstance(program, Path) else lambda: _done(program), answer)


@cache
def previewed_plan(stack: str) -> Plan:
    """What a stack of the project asks for in a preview, which knows nothing that a cloud gives."""
    return _of_this_run(f"{stack}-previewed", lambda: recorded(PROGRAM, configuration(ROOT, stack)).plan)


@cache
def known_plan(stack: str) -> Plan:
    """What a stack of the project asks for, with a cloud that answers: policy documents and links can be read."""
    return _of_this_run(f"{stack}-known", lambda: recorded(PROGRAM, configuration(ROOT, stack), known).plan)


def _of_this_run(name: str, make: Callable[[], Plan]) -> Plan:
    """A plan that one process of a test run has recorded for all of them."""
    folder = os.environ.get(SHARED)
    if not folder:
        return make()
    file = Path(folder) / name
    if file.exists():
        return pickle.loads(file.read_bytes())
    plan = make()
    being_written = file.with_name(f"{name}.{os.getpid()}")
    being_written.write_bytes(pickle.dumps(plan))
    being_written.replace(file)
    return plan


def planned(make: Callable[[pulumi.ResourceOptions], object], answer: Answer | None = known) -> Plan:
    """What a component registers that is made with explicit providers."""

    def program() -> None:
        make(pulumi.ResourceOptions(providers=providers()))

    return recorded(program, answer=answer).plan


def providers() -> list[pulumi.ProviderResource]:
    """An explicit provider of each package that components take."""
    return [
        aws.Provider("cloud", region=REGION, allowed_account_ids=[ACCOUNT]),
        gcp.Provider("google", project=PROJECT, region=GCP_REGION),
        random.Provider("chance"),
    ]


def _done(program: Callable[[], object]) -> None:
    program()


def project_files() -> list[Path]:
    """The files of the project, those that git does not track yet among them."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()]


def one(plan: Plan, type_: str, name: str | None = None) -> Any:
    """The inputs of the one resource of a type, or of that name among them."""
    found = [each for each in plan.resources if each.type == type_ and name in (None, each.name)]
    assert len(found) == 1, f"{len(found)} of {type_} {name or ''}: {[each.name for each in found]}"
    return found[0].inputs


def remedies(make: Callable[[], object]) -> dict[str, str]:
    """What a component is refused for: the remedies, by path."""
    with pytest.raises(InputError) as caught:
        make()
    return {problem.path: problem.remedy for problem in caught.value.problems}


def statements(policy: str) -> dict[str, dict[str, Any]]:
    """The statements of a policy document, by id."""
    return {statement["Sid"]: statement for statement in json.loads(policy)["Statement"]}
