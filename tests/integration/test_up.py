"""A stack's whole life on the engine."""

import json
from pathlib import Path

import pytest

from .engine import Engine, needs_engine


@needs_engine
@pytest.mark.engine
def test_dev_goes_up_stays_as_it_is_and_leaves_nothing(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    engine.stack("dev")
    engine.run("up", "--stack", "dev", "--yes", "--skip-preview")
    again = engine.run("up", "--stack", "dev", "--yes", "--skip-preview", "--expect-no-changes", check=False)
    engine.run("destroy", "--stack", "dev", "--yes", "--skip-preview")
    left = json.loads(engine.run("stack", "export", "--stack", "dev").stdout)["deployment"].get("resources", [])
    assert left == []
    assert again.returncode == 0, again.stdout


MOMENTS = (10, 60, 40)
"""After how many more resources it is killed: among the network, the security groups, and the clusters."""


@needs_engine
@pytest.mark.engine
def test_an_up_that_is_killed_three_times_is_finished_by_the_next(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    engine.stack("dev")
    for moment in MOMENTS:
        assert engine.killed_up("dev", moment) != 0
    engine.run("up", "--stack", "dev", "--yes", "--skip-preview")
    again = engine.run("up", "--stack", "dev", "--yes", "--skip-preview", "--expect-no-changes", check=False)
    deployment = json.loads(engine.run("stack", "export", "--stack", "dev").stdout)["deployment"]
    engine.run("destroy", "--stack", "dev", "--yes", "--skip-preview")
    assert again.returncode == 0, again.stdout
    assert not deployment.get("pending_operations")
