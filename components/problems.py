"""How bad input is reported: path, value and remedy, all problems of one input together."""

import difflib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pulumi

_LONG_LIST = 12


class Problem(NamedTuple):
    """One thing that is wrong with an input."""

    path: str
    """Where it stands, as its author wrote it: `plinth:database.backupDays`, `cidr`."""
    value: object
    """What stands there; `MISSING` where nothing does."""
    remedy: str
    """What is wrong and what to write instead."""

    def __str__(self) -> str:
        if self.value is MISSING:
            return f"{self.path}: {self.remedy}"
        return f"{self.path}={_shortened(_shown(self.value))}: {self.remedy}"


class _Missing:
    def __repr__(self) -> str:
        return "missing"


MISSING = _Missing()
"""The value of a problem about something that is not there."""


class InputError(pulumi.RunError):
    """Bad input. The engine prints its message without a traceback.

    `problems` holds each problem, `subject` names what was given the input.
    """

    def __init__(self, subject: str, problems: Sequence[Problem]):
        self.subject = subject
        self.problems = list(problems)
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__("\n  ".join([f"{subject}: {count}", *map(str, self.problems)]))


def unknown_key(key: str, known: Iterable[str]) -> str:
    """The remedy for a key that does not exist: the nearest that does, or all of them."""
    valid = sorted(known)
    near = difflib.get_close_matches(key, valid, n=1)
    if near:
        return f"unknown key; did you mean `{near[0]}`?"
    return f"unknown key; the keys here are {', '.join(valid)}" if valid else "no keys are valid here; leave it out"


def one_of(valid: Iterable[str], given: object = None) -> str:
    """The remedy for a value outside a closed list: the nearest one if any is near, and the list unless it is long."""
    choices = list(valid)
    if not choices:
        return "there are none to choose from; leave it out"
    near = difflib.get_close_matches(str(given), choices, n=1)
    if near and len(choices) > _LONG_LIST:
        return f"did you mean `{near[0]}`?"
    hint = f"did you mean `{near[0]}`? " if near else ""
    return f"{hint}choose one of {', '.join(choices)}"


def _shown(value: object) -> str:
    """A value as its author wrote it, where that can be seen on a line."""
    return value if isinstance(value, str) and value.strip() and value.isprintable() else repr(value)


def _shortened(text: str, limit: int = 80) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
