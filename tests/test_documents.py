"""The documents say what the code says, and what they show runs."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from .documents import BLOCKS, DOCUMENTS, MARK, filled
from .support import ROOT, project_files, recorded

PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
CONSOLE = re.compile(r"```(?:console|shell)\n(.*?)```", re.DOTALL)
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
