"""The documents say what the code says, and what they show runs."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from policy.catalogue import judge
from preview.project import Configuration, configuration, stacks
from stacks.settings import Cloud, Settings, load

from .documents import BLOCKS, DOCUMENTS, MARK, filled
from .support import ROOT, known, project_files, recorded

PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
CONSOLE = re.compile(r"```(?:console|shell)\n(.*?)```", re.DOTALL)
STACK_FILE = re.compile(r"```yaml\n(# Pulumi\.(?P<stack>[a-z0-9-]+)\.yaml\n.*?)```", re.DOTALL)
KUBECONFIG: dict[str, Any] = {
    "contexts": [{"name": name, "context": {"cluster": "here"}} for name in ("kind-workflows", "team")],
    "clusters": [{"name": "here", "cluster": {"server": "https://127.0.0.1:6443"}}],
}
"""The cluster of the examples."""
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_generated_parts_are_as_generated_now(path: Path) -> None:
    """`make docs` writes them."""
    assert path.read_text() == filled(path.read_text())


def test_every_generated_part_stands_somewhere() -> None:
    used = {match["name"] for path in DOCUMENTS for match in MARK.finditer(path.read_text())}
    assert used == set(BLOCKS)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text()):
        assert (path.parent / target).exists(), target


EXAMPLES = [
    pytest.param(code, id=f"{path.name}-{i}")
    for path in DOCUMENTS
    for i, code in enumerate(PYTHON.findall(path.read_text()))
]


@pytest.mark.parametrize("code", EXAMPLES)
def test_python_examples_run(code: str) -> None:
    """As a program whose providers are explicit. The library goes by its name in this project."""
    here = code.replace("from plinth.", "from components.")
    assert recorded(lambda: exec(compile(here, "example", "exec"), {})).plan.resources


STACK_FILES = [
    pytest.param(found["stack"], found[1], id=f"{path.name}-{i}-{found['stack']}")
    for path in DOCUMENTS
    for i, found in enumerate(STACK_FILE.finditer(path.read_text()))
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home directory with the kubeconfig that examples name."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text(yaml.safe_dump(KUBECONFIG))


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(("stack", "text"), STACK_FILES)
def test_stack_files_of_the_documents_load(stack: str, text: str) -> None:
    """Where the project has such a stack, they are laid over its file. What stands in no cloud is planned as well."""
    base = configuration(ROOT, stack if stack in stacks(ROOT) else "dev").values
    values = dict(base) if stack in stacks(ROOT) else {key: "" for key in base if key.startswith("plinth:")}
    given = yaml.safe_load(text)["config"]
    values |= {key: each if isinstance(each, str) else json.dumps(each) for key, each in given.items()}
    settings = load(stack, values)
    assert isinstance(settings, Settings)
    if settings.cloud is Cloud.KUBERNETES:
        plan = recorded(ROOT / "__main__.py", Configuration("plinth", stack, values, frozenset()), known).plan
        assert [(each.rule, each.urn) for each in judge(plan)] == []


def test_the_page_of_workflows_shows_that_services_grow_without_more_replicas() -> None:
    """As the example of more CPU and memory says: production keeps its autoscaler."""
    text = (ROOT / "docs" / "systems" / "workflows.md").read_text()
    (found,) = [each[1] for each in STACK_FILE.finditer(text) if "cpuLimit" in each[1]]
    values = configuration(ROOT, "workflows-aws-prod").values
    given = {key: json.dumps(each) for key, each in yaml.safe_load(found)["config"].items()}
    settings = load("workflows-aws-prod", {**values, **given})
    assert isinstance(settings, Settings)
    api = settings.system.services["api"]
    resources = api.resources
    assert (resources.cpu, resources.memory) == ("500m", "512Mi")
    assert (resources.cpu_limit, resources.memory_limit) == ("2000m", "2Gi")
    assert api.scaling
    assert (api.scaling.fewest, api.scaling.most) == (3, 10)


COMMANDS = sorted(
    {
        line.removeprefix("$ ")
        for path in DOCUMENTS
        for block in CONSOLE.findall(path.read_text())
        for line in block.splitlines()
        if line.startswith(("$ make ", "$ python -m "))
    }
)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_of_the_documents_exist(command: str) -> None:
    """A preview runs; of what takes minutes, the Makefile must know the target."""
    words = shlex.split(command)
    if words[0] == "python" or "preview" in words:
        if words[0] == "make":
            given = dict(word.split("=", 1) for word in words[2:])
            words = ["python", "-m", "preview", given.get("STACK", "dev"), *shlex.split(given.get("ARGS", ""))]
        result = subprocess.run([sys.executable, *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        assert result.stdout
    else:
        subprocess.run(["make", "--dry-run", *words[1:]], cwd=ROOT, capture_output=True, check=True)


def test_nothing_is_said_of_the_place_where_it_was_written() -> None:
    for path in project_files():
        if path != Path(__file__):
            assert str(ROOT) not in path.read_text(errors="ignore"), path
