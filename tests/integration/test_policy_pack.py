"""The engine's policies find what the credential-free preview finds."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from preview.project import stacks

from .engine import Engine, needs_engine

pytestmark = [pytest.mark.engine, needs_engine]

LOADED = "plinth@v0.1.0 (local: policy)"
FINDING = re.compile(r"- \[(?P<level>\w+)\]  (?P<policy>\S+)  \(\S+: (?P<name>\S+)\)")
Found = set[tuple[str, str, str]]


def in_engine(engine: Engine, stack: str) -> tuple[int, str, Found]:
    """Exit code, output and findings (policy, level, name) of the engine's preview with the pack."""
    result = engine.run("preview", "--stack", stack, "--policy-pack", "policy", check=False)
    found = {
        (match["policy"].removesuffix("-in-dev"), match["level"], match["name"])
        for match in FINDING.finditer(result.stdout)
    }
    return result.returncode, result.stdout + result.stderr, found


def in_preview(engine: Engine, stack: str) -> list[dict[str, Any]]:
    """The findings of the credential-free preview of the same project."""
    command = [sys.executable, "-m", "preview", stack, "--format", "json"]
    result = subprocess.run(command, cwd=engine.project, capture_output=True, text=True, check=True)
    return json.loads(result.stdout)["findings"]


def standing(findings: list[dict[str, Any]]) -> Found:
    return {(each["rule"], each["level"], each["urn"].rpartition("::")[2]) for each in findings if not each["excepted"]}


def weaken(engine: Engine, path: str, *changes: tuple[str, str]) -> None:
    text = (engine.project / path).read_text()
    for sound, broken in changes:
        assert sound in text
        text = text.replace(sound, broken)
    (engine.project / path).write_text(text)


OF_NEWER_INPUTS = {"eks-deletion-protection"}
"""Rules about inputs that an older provider than the SDK's own leaves out: no policy sees them there."""


@pytest.mark.parametrize("stack", stacks(Path(__file__).parents[2]))
def test_every_stack_has_the_same_findings_in_both(stack: str, tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    engine.stack(stack)
    code, output, found = in_engine(engine, stack)
    assert LOADED in output
    unseen = {each for each in found if each[0] in OF_NEWER_INPUTS}
    assert found - unseen == standing(in_preview(engine, stack)) == set()
    assert code == 0 or unseen, output


def test_what_breaks_a_rule_is_found_in_both_and_an_exception_lets_it_stand(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    engine.stack("dev")
    weaken(
        engine,
        "components/database/rds.py",
        ("storage_encrypted=True", "storage_encrypted=False"),
        ("performance_insights_enabled=True", "performance_insights_enabled=False"),
    )
    code, output, found = in_engine(engine, "dev")
    database = "skipper-dev-database"
    assert found == standing(in_preview(engine, "dev"))
    assert found == {
        ("rds-encrypted", "mandatory", database),
        ("rds-performance-insights", "advisory", database),
    }
    assert code != 0
    assert "CKV_AWS_16" in output

    exception = {
        "rule": "rds-encrypted",
        "stack": "dev",
        "urn": f"*::{database}",
        "reason": "It holds nothing",
        "expires": "TO BE SET",
    }
    file = engine.project / "policy" / "exceptions.yaml"
    file.write_text(yaml.safe_dump({"exceptions": [exception]}))
    code, output, _ = in_engine(engine, "dev")
    assert code != 0
    assert "exceptions.yaml, entry 1: expires='TO BE SET': give the last day of it, as in 2027-12-31" in output

    file.write_text(file.read_text().replace("TO BE SET", "2999-12-31"))
    code, output, found = in_engine(engine, "dev")
    assert code == 0, output
    assert found == {("exceptions", "advisory", database), ("rds-performance-insights", "advisory", database)}
    assert "rds-encrypted: until 2999-12-31: It holds nothing" in output
    assert standing(in_preview(engine, "dev")) == {("rds-performance-insights", "advisory", database)}
