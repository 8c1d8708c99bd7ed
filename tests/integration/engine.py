"""The real engine, where there is one: the Pulumi CLI with its plugins, an AWS emulator, a token for Google Cloud."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..support import ROOT, project_files

NEEDED = {
    "aws": ("AWS_ENDPOINT_URL", "no AWS emulator"),
    # A preview of what does not exist calls nobody, so that any token will do.
    "gcp": ("GOOGLE_OAUTH_ACCESS_TOKEN", "no token for Google Cloud"),
}
"""The variable that a cloud's stacks need on the engine, and what its absence means."""


def missing(cloud: str = "aws") -> str:
    """What this machine lacks to run a cloud's stack on the engine, or nothing."""
    if not shutil.which("pulumi"):
        return "no `pulumi` on the PATH"
    variable, absence = NEEDED[cloud]
    return "" if os.environ.get(variable) else f"{absence}: {variable} is not set"


def skipped(cloud: str) -> pytest.MarkDecorator:
    """Skips a test where the engine, or what a cloud's stacks need of it, is not there."""
    reason = missing(cloud)
    return pytest.mark.skipif(bool(reason), reason=f"the engine's tests need the real engine: {reason}")


needs_engine = skipped("aws")


class Engine:
    """A copy of the project with a backend of its own, whose stacks stand on the emulator."""

    def __init__(self, folder: Path):
        self.project = folder / "project"
        for path in project_files():
            copy = self.project / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
        (self.project / ".venv").symlink_to(ROOT / ".venv")
        (folder / "state").mkdir()
        self._environment = {
            **os.environ,
            "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the CLI in the project."""
        result = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.project,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or result.returncode == 0, result.stdout + result.stderr
        return result

    def killed_up(self, name: str, after: int) -> int:
        """Start to bring a stack up, and kill that, as a cancelled job of CI does, once so many resources are
        made. Returns its exit code."""
        with subprocess.Popen(
            ["pulumi", "up", "--stack", name, "--yes", "--skip-preview", "--non-interactive"],
            cwd=self.project,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout
            made = 0
            for line in process.stdout:
                made += " created (" in line
                if made == after:
                    process.send_signal(signal.SIGTERM)
                    made += 1  # once
        return process.returncode

    def stack(self, name: str, **aws: Any) -> None:
        """Make a stack out of its file, one of AWS on the emulator."""
        path = self.project / f"Pulumi.{name}.yaml"
        content = yaml.safe_load(path.read_text())
        if content["config"]["plinth:cloud"] == "aws":
            content["config"]["plinth:aws"] |= {"endpoint": os.environ["AWS_ENDPOINT_URL"], **aws}
        path.write_text(yaml.safe_dump(content))
        self.run("stack", "init", name)

    def preview(self, name: str) -> dict[str, dict[str, Any]]:
        """The resources of the engine's preview, by URN."""
        steps = json.loads(self.run("preview", "--stack", name, "--json").stdout)["steps"]
        return {step["urn"]: step["newState"] for step in steps}
