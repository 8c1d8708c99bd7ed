"""A side of a comparison has the packages that it locks."""

import subprocess
import sys
from pathlib import Path

import pytest

from preview import sides
from preview.project import PreviewError


@pytest.fixture
def checkouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Two checkouts with the same lock, and a place for further environments."""
    monkeypatch.setattr(sides.sys, "prefix", str(tmp_path / "environment"))
    folders = tmp_path / "here", tmp_path / "there"
    for folder in folders:
        folder.mkdir()
        (folder / sides.LOCK).write_text("annotated-types==0.8.0\n")
    return folders


def test_the_same_lock_is_served_by_this_python(checkouts: tuple[Path, Path]) -> None:
    assert sides._python(*checkouts) == sys.executable


def test_another_lock_gets_an_environment_of_its_own_once(checkouts: tuple[Path, Path]) -> None:
    here, there = checkouts
    (here / sides.LOCK).write_text("annotated-types==0.8.0\npyyaml==6.0.3\n")
    python = sides._python(here, there)
    assert Path(python).is_relative_to(sides.sys.prefix)
    subprocess.run([python, "-c", "import annotated_types"], check=True)
    assert subprocess.run([python, "-c", "import pulumi"], capture_output=True, check=False).returncode
    made = Path(python).parent.parent.stat().st_ctime_ns
    assert sides._python(here, there) == python
    assert Path(python).parent.parent.stat().st_ctime_ns == made


def test_a_lock_that_cannot_be_installed_is_told_in_words_and_leaves_nothing(checkouts: tuple[Path, Path]) -> None:
    here, there = checkouts
    (there / sides.LOCK).write_text("not a requirement ??\n")
    with pytest.raises(PreviewError, match="the packages locked at the other commit cannot be installed"):
        sides._python(here, there)
    assert not list(Path(sides.sys.prefix).glob("locks/*"))
