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
