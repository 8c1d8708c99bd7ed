"""Compares every stack with the same stack at another commit."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any

from policy import catalogue
from policy.exceptions import RAN_OUT, ExceptionsError

from .difference import Change, Kind, compare
from .plan import Finding, Plan
from .project import PreviewError, stacks
from .sides import at, changed_files, here, is_dirty


class Verdict(IntEnum):
    """What a comparison comes to, as exit codes. The worst of its stacks' counts; 2 is a wrong command line."""

    SAME = 0
    FAILED = 1
    CHANGED = 3
    DESTROYS = 4


_WORST_FIRST = (Verdict.FAILED, Verdict.DESTROYS, Verdict.CHANGED, Verdict.SAME)


@dataclass(frozen=True)
class Compared:
    """One stack, then and now."""

    stack: str
    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    """What policies find now and did not find then, and what an exception let stand until it ran out."""
    error: str = ""
    untouched: bool = False
    """Whether none of the files that make its plan differ, so that it is the same without looking."""

    @property
    def verdict(self) -> Verdict:
        """What it comes to."""
        if self.error:
            return Verdict.FAILED
        if any(change.destroys for change in self.changes):
            return Verdict.DESTROYS
        return Verdict.CHANGED if self.changes or self.notes else Verdict.SAME

    def count(self, *kinds: Kind) -> int:
        """How many changes are of the kinds."""
        return sum(change.kind in kinds for change in self.changes)


@dataclass(frozen=True)
class Comparison:
    """All stacks, then and now."""

    ref: str
    stacks: list[Compared]
    dirty: bool
    """Whether the working tree has changes that are not committed. It is compared as it is."""

    @property
    def verdict(self) -> Verdict:
        """The worst of the stacks' verdicts."""
        verdicts = {stack.verdict for stack in self.stacks}
        return next((verdict for verdict in _WORST_FIRST if verdict in verdicts), Verdict.SAME)


def compare_with(root: Path, ref: str, names: Sequence[str] = ()) -> Comparison:
    """Compare the working tree's stacks, or the named ones, with a commit's.

    Raises `PreviewError` for a ref that does not exist, a commit without the project, a stack on neither side, and
    exceptions to the policies that say too little.
    """
    with at(root, ref) as then:
        now = here(root)
        known = {"now": stacks(now.root), "then": stacks(then.root)}
        wanted = list(names) or sorted({*known["now"], *known["then"]})
        for name in wanted:
            if name not in known["now"] and name not in known["then"]:
                raise PreviewError(
                    f"no stack `{name}`, neither here nor at {ref}; the stacks are {', '.join(known['now'])}"
                )
        after = now.plans([name for name in wanted if name in known["now"]])
        differing = changed_files(root, ref)
        untouched = {name for name, line in after.items() if "files" in line and not differing & set(line["files"])}
        before = then.plans([name for name in wanted if name in known["then"] and name not in untouched])
    try:
        found = [_compared(name, ref, before.get(name), after.get(name), name in untouched) for name in wanted]
    except ExceptionsError as error:
        raise PreviewError(str(error)) from error
    return Comparison(ref, found, is_dirty(root))


def _compared(
    name: str, ref: str, before: dict[str, Any] | None, after: dict[str, Any] | None, untouched: bool
) -> Compared:
    if untouched:
        return Compared(name, untouched=True)
    errors = {"here": (after or {}).get("error"), f"at {ref}": (before or {}).get("error")}
    if any(errors.values()):
        return Compared(name, error="\n".join(f"{side}: {error}" for side, error in errors.items() if error))
    now = _plan(after) or _nothing(_plan(before))
    then = _plan(before) or _nothing(now)
    changes, notes = compare(then, now)
    if before is None:
        notes.append("the stack is new")
    if after is None:
        notes.append("the stack's file is gone: nothing is deleted by that; destroy the stack before its file goes")
    old = {(finding.rule, finding.urn) for finding in catalogue.judge(then) if not finding.excepted}
    standing = [finding for finding in catalogue.judge(now) if not finding.excepted]
    # One whose exception has run out was there before, but not in anybody's way.
    findings = [each for each in standing if (each.rule, each.urn) not in old or RAN_OUT in each.message]
    return Compared(name, changes, notes, findings)


def _plan(line: dict[str, Any] | None) -> Plan | None:
    return Plan.from_json(line["plan"]) if line else None


def _nothing(other: Plan | None) -> Plan:
    """The plan of a stack that there is not."""
    if other is None:
        raise AssertionError("a stack on neither side")
    return Plan(other.stack, other.project, [], {}, [])
