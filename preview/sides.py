"""The two sides of a comparison: checkouts of the project, and the plans that each one's own code makes."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from .project import PreviewError

LOCK = "requirements.txt"
_TOOL = Path(__file__).resolve().parent.parent


class Side:
    """A checkout, and the Python with the packages that it locks."""

    def __init__(self, root: Path, python: str):
        self.root = root
        self._python = python

    def plans(self, stacks: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What each stack's program asks for: its plan and the files that made it, or its error.

        A process takes several stacks, one after the other: loading a cloud's SDK costs more than a plan.
        """
        workers = min(len(stacks), os.cpu_count() or 1)
        shares = [list(stacks[i::workers]) for i in range(workers)]
        with ThreadPoolExecutor(max(workers, 1)) as pool:
            lines = [line for share in pool.map(self._recorded, shares) for line in share]
        return {line["stack"]: line for line in lines}

    def _recorded(self, stacks: list[str]) -> list[dict[str, Any]]:
        result = subprocess.run(  # noqa: S603
            [self._python, "-m", "preview.plans", str(self.root), *stacks],
            cwd=_TOOL,
            capture_output=True,
            text=True,
            check=False,
        )
        lines = [json.loads(text) for text in result.stdout.splitlines() if text.startswith('{"stack"')]
        told = {line["stack"] for line in lines}
        why = (result.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        return [
            *lines,
            *({"stack": stack, "error": f"the recorder failed: {why}"} for stack in stacks if stack not in told),
        ]


def here(root: Path) -> Side:
    """The working tree as it is."""
    return Side(root, sys.executable)


@contextmanager
def at(root: Path, ref: str) -> Iterator[Side]:
    """The project at a commit, in a folder that goes away.

    Raises `PreviewError` for a ref that does not exist and for a commit without the project.
    """
    commit = resolved(root, ref)
    folder = Path(tempfile.mkdtemp(prefix="plinth-"))
    try:
        if _git(root, "cat-file", "-e", f"{commit}:Pulumi.yaml", check=False).returncode:
            raise PreviewError(f"the project did not exist at {ref}: there is no Pulumi.yaml; name a later commit")
        archive = _git(root, "archive", "--format=tar", commit, text=False).stdout
        with tarfile.open(fileobj=BytesIO(archive)) as content:
            content.extractall(folder, filter="data")
        yield Side(folder, _python(root, folder))
    finally:
        shutil.rmtree(folder)


def resolved(root: Path, ref: str) -> str:
    """The commit that a ref names. Raises `PreviewError` where it names none."""
    result = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}", check=False)
    if result.returncode:
        raise PreviewError(
            f"no commit `{ref}`: name a branch, a tag or a commit that is here (`git fetch` brings more)"
        )
    return result.stdout.strip()


def changed_files(root: Path, ref: str) -> set[str]:
    """The files that differ between a commit and the working tree, those that git does not track yet among them."""
    differing = _git(root, "diff", "--name-only", "--no-renames", resolved(root, ref)).stdout.splitlines()
    untracked = _git(root, "ls-files", "--others", "--exclude-standard").stdout.splitlines()
    return {*differing, *untracked}


def is_dirty(root: Path) -> bool:
    """Whether the working tree differs from what is committed."""
    return bool(_git(root, "status", "--porcelain").stdout.strip())


def _python(root: Path, folder: Path) -> str:
    """A Python with the packages that the checkout locks: this one, or another environment where the locks differ."""
    lock = folder / LOCK
    if not lock.exists() or lock.read_bytes() == (root / LOCK).read_bytes():
        return sys.executable
    environment = Path(sys.prefix) / "locks" / hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    python = environment / "bin" / "python"
    if not python.exists():
        for command in (
            [sys.executable, "-m", "venv", "--without-pip", str(environment)],
            [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(python), "-r", str(lock)],
        ):
            result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
            if result.returncode:
                shutil.rmtree(environment, ignore_errors=True)
                raise PreviewError(
                    f"the packages locked at the other commit cannot be installed: {result.stderr.strip()}"
                )
    return str(python)


def _git(root: Path, *arguments: str, text: bool = True, check: bool = True) -> subprocess.CompletedProcess[Any]:
    result = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=text, check=False)  # noqa: S603, S607
    if check and result.returncode:
        said = result.stderr if text else result.stderr.decode()
        raise PreviewError(f"git {arguments[0]} failed: {said.strip()}")
    return result
