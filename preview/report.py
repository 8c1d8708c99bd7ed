"""A comparison for people (text), for a pull request's comment (Markdown), and for tools (JSON)."""

import html
import json
from collections.abc import Iterable
from dataclasses import asdict
from enum import Enum
from typing import Any

from .against import Compared, Comparison, Verdict
from .difference import Change, Kind, PropertyChange

LIMIT = 65_000
"""Characters of a comment. GitHub takes 65,536; the rest is for whoever posts it."""
MARK = "<!-- plinth-comparison -->"
"""Stands in the comment, by which it is found again."""
_SIGNS = {
    Kind.DELETE: "-",
    Kind.RENAME: "-/+",
    Kind.REPLACE: "+/-",
    Kind.MAY_REPLACE: "+/-?",
    Kind.UPDATE: "~",
    Kind.FOLLOW: "~?",
    Kind.CREATE: "+",
}
_ENGINE = "This compares what the programs ask for. What a provider replaces for sure, only the engine's preview knows."


def text(comparison: Comparison) -> str:
    """The comparison for people."""
    lines = [_headline(comparison)]
    for stack in comparison.stacks:
        lines += ["", f"{stack.stack}: {summary(stack)}"]
        lines += [f"  {line}" for line in stack.error.splitlines()]
        lost = [change for change in stack.changes if change.destroys]
        if lost:
            lines += ["", "  DESTROYS DATA OR REPLACES THE NETWORK"]
            lines += [f"  {line}" for line in _changes(lost)]
            lines += [""] if len(lost) < len(stack.changes) else []
        lines += [f"  {line}" for line in _changes(change for change in stack.changes if not change.destroys)]
        lines += [f"  note: {note}" for note in stack.notes]
        lines += [f"  policy: {finding.rule}: {finding.message}: {finding.urn}" for finding in stack.findings]
    return "\n".join([*lines, "", _ENGINE])


def as_json(comparison: Comparison) -> str:
    """The comparison for tools."""
    content = {
        "ref": comparison.ref,
        "dirty": comparison.dirty,
        "verdict": comparison.verdict.name.lower(),
        "stacks": [
            {
                **asdict(stack),
                "verdict": stack.verdict.name.lower(),
                "changes": [{**asdict(change), "destroys": change.destroys} for change in stack.changes],
            }
            for stack in comparison.stacks
        ],
    }
    return json.dumps(content, indent=2, default=_plain)


def markdown(comparison: Comparison) -> str:
    """The comparison as a comment: what destroys first and open, each stack collapsed, cut to fit."""
    head = [MARK, f"### {_headline(comparison)}", ""]
    lost = [(stack, change) for stack in comparison.stacks for change in stack.changes if change.destroys]
    if lost:
        head += ["> [!CAUTION]", "> **Destroys data or replaces the network**", ">"]
        head += [f"> - `{stack.stack}`: {_sentence(change)}" for stack, change in lost[:50]]
        head += [f"> - and {len(lost) - 50} more"] if len(lost) > 50 else []
        head += [""]
    foot = ["", f"<sub>{_ENGINE}</sub>"]
    room = LIMIT - len("\n".join([*head, *foot])) - 1
    parts: list[str] = []
    same = [stack.stack for stack in comparison.stacks if stack.verdict is Verdict.SAME]
    telling = [stack for stack in comparison.stacks if stack.verdict is not Verdict.SAME]
    if same:
        parts.append(f"The same: {', '.join(f'`{name}`' for name in same)}\n")
        room -= len(parts[0])
    for i, stack in enumerate(telling):
        part = _folded(stack, room // (len(telling) - i))
        parts.append(part)
        room -= len(part) + 1
    return "\n".join([*head, *parts, *foot])


def summary(stack: Compared) -> str:
    """A stack in a few words."""
    if stack.error:
        return "cannot be compared"
    if stack.untouched:
        return "the same: no file that makes it differs"
    words = [f"{stack.count(kind)} {kind.value}" for kind in Kind if stack.count(kind)]
    return ", ".join(words) or ("the same resources" if stack.notes else "the same")


def _headline(comparison: Comparison) -> str:
    said = {
        Verdict.SAME: "nothing changes",
        Verdict.CHANGED: "changes",
        Verdict.DESTROYS: "DESTROYS DATA OR REPLACES THE NETWORK",
        Verdict.FAILED: "some stacks cannot be compared",
    }[comparison.verdict]
    dirty = " (the working tree has uncommitted changes; compared as it is)" if comparison.dirty else ""
    return f"Against {comparison.ref}: {said}{dirty}"


def _sentence(change: Change) -> str:
    words = [f"{change.kind.value} `{change.name}` ({change.type})"]
    if change.loses:
        words.append(f"loses {change.loses}")
    return "; ".join([*words, *([change.why] if change.why else [])])


def _changes(changes: Iterable[Change]) -> list[str]:
    """The changes line by line. Those that differ in their names alone stand together."""
    alike: dict[str, list[Change]] = {}
    for change in changes:
        alike.setdefault(repr((change.kind, change.type, change.properties, change.why, change.loses)), []).append(
            change
        )
    lines = []
    for group in alike.values():
        change, names = group[0], ", ".join(each.name for each in group)
        head = f"{_SIGNS[change.kind]:4} {change.type}  {names}"
        lines.append(f"{head}  [{change.kind.value}: loses {change.loses}]" if change.destroys else head)
        lines += [f"       {change.why}"] if change.why else []
        lines += [f"       {_property(each)}" for each in change.properties]
    return lines


def _property(each: PropertyChange) -> str:
    return f"{each.path}: {_shown(each.before)} -> {_shown(each.after)}"


def _shown(value: Any, limit: int = 200) -> str:
    if value is None:
        return "(none)"
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


def _folded(stack: Compared, room: int) -> str:
    """A stack's changes in a fold, as many as there is room for."""
    head = f"<details><summary><b>{html.escape(stack.stack)}</b>: {html.escape(summary(stack))}</summary>\n\n"
    body: list[str] = [f"> {line}" for line in stack.error.splitlines()]
    body += [f"- note: {note}" for note in stack.notes]
    body += [f"- policy `{finding.rule}`: {finding.message}: `{finding.urn}`" for finding in stack.findings]
    tail = "\n</details>\n"
    fence = "~~~~"  # no value that is shown can close it: see below
    lines = [line.replace("~~~~", "~~~ ~") for line in _changes(stack.changes)]
    kept, size = [], len(head) + len(tail) + sum(len(line) + 1 for line in body) + 100
    for line in lines:
        size += len(line) + 1
        if size > room:
            kept.append(f"… {len(lines) - len(kept)} more lines; `python -m preview --against` shows them")
            break
        kept.append(line)
    if kept:
        body += ["", f"{fence}diff", *kept, fence]
    return head + "\n".join(body) + tail


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else str(value)
