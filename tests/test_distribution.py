"""The library as other projects install it."""

import ast
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from components.host import components

from .support import ROOT


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the unpacked distribution."""
    folder = tmp_path_factory.mktemp("distribution")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder / "built")],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    (wheel,) = (folder / "built").glob("plinth-*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def test_it_holds_the_package_plinth_and_nothing_of_the_project(installed: Path) -> None:
    assert {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")} == {"plinth"}


def test_every_component_can_be_imported_from_it(installed: Path) -> None:
    """Without this project on the path."""
    code = "from plinth.host import components; print([(kind.__module__, kind.__name__) for kind in components()])"
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=installed,
        env={"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    here = [(kind.__module__.replace("components.", "plinth.", 1), kind.__name__) for kind in components()]
    assert result.stdout.strip() == str(here)


def test_it_asks_for_what_its_modules_import_in_a_range_that_the_project_is_tested_with() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {each.name: each for each in map(Requirement, project["project"]["dependencies"])}
    imported = {
        name.partition(".")[0]
        for path in (ROOT / "components").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _modules(node)
    }
    assert {name.replace("_", "-") for name in imported - sys.stdlib_module_names} == set(wanted)
    for requirement in wanted.values():
        assert {each.operator for each in requirement.specifier} == {">=", "<"}, "others have versions of their own"
        assert version(requirement.name) in requirement.specifier


def _modules(node: ast.AST) -> list[str]:
    """What an import names, but for this package's own."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []


def test_type_checkers_read_it(installed: Path) -> None:
    assert (installed / "plinth" / "py.typed").exists()


def test_the_scripts_of_jobs_are_in_it(installed: Path) -> None:
    """They are no modules, and a component reads them when it is made."""
    here = ROOT / "components" / "service" / "scripts"
    there = installed / "plinth" / "service" / "scripts"
    scripts = {path.name for path in here.iterdir() if path.is_file()}
    assert {path.name for path in there.iterdir()} == scripts
    code = f"from plinth.service.jobs import script; [script(name) for name in {sorted(scripts)}]"
    subprocess.run([sys.executable, "-c", code], cwd=installed, env={"PYTHONPATH": str(installed)}, check=True)
