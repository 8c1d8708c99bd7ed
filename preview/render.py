"""A plan for people (text), for tools (JSON), and as a picture (Mermaid)."""

import json
from collections import Counter
from typing import Any

from policy.rules.rule import Level

from .plan import PROVIDER, STACK_TYPE, Plan, Resource

_NOT_HERE = (
    "This is what the program asks for. What exists already, and what the providers themselves check, only the\n"
    "engine's preview knows: pulumi preview --stack {stack}"
)


def text(plan: Plan, facts: str = "", full: bool = False) -> str:
    """The plan for people: a summary, and with `full` every resource with its inputs."""
    root = next(resource.urn for resource in plan.resources if resource.type == STACK_TYPE)
    made = [resource for resource in plan.resources if _is_made(resource)]
    protected = sum(resource.protect for resource in made)
    lines = [
        f"Stack {plan.stack}{f'  ({facts})' if facts else ''}",
        f"{len(made)} resources to make, {protected} of them protected",
        "",
        *_tree(plan, root),
    ]
    if full:
        lines += ["", "Resources"]
        for resource in made:
            lines += _in_full(resource)
    lines += ["", f"Outputs ({len(plan.outputs)})"]
    width = max((len(name) for name in plan.outputs), default=0)
    lines += [f"  {name:{width}}  {_value(value, full)}" for name, value in sorted(plan.outputs.items())]
    if plan.warnings:
        lines += ["", f"Warnings ({len(plan.warnings)})", *(f"  {warning}" for warning in plan.warnings)]
    lines += _findings(plan)
    return "\n".join([*lines, "", _NOT_HERE.format(stack=plan.stack)])


def as_json(plan: Plan) -> str:
    """The plan for tools."""
    return json.dumps(plan.to_json(), indent=2)


def mermaid(plan: Plan) -> str:
    """The top of the tree as a flow chart: an arrow from each part to the parts that it is made after.

    Parts of one kind with the same arrows share a box.
    """
    root = next(resource.urn for resource in plan.resources if resource.type == STACK_TYPE)
    parts = [resource for resource in plan.children(root) if not resource.type.startswith(PROVIDER)]
    home = {part.urn: part.urn for part in parts}
    for part in parts:
        home.update({resource.urn: part.urn for resource in plan.below(part.urn)})
    arrows = {
        (home[resource.urn], home[dependency])
        for resource in plan.resources
        for dependency in resource.dependencies
        if resource.urn in home and dependency in home and home[resource.urn] != home[dependency]
    }
    arrows = _essential(arrows)
    groups: dict[tuple[str, frozenset[str], frozenset[str]], list[Resource]] = {}
    for part in parts:
        after = frozenset(end for start, end in arrows if start == part.urn)
        before = frozenset(start for start, end in arrows if end == part.urn)
        groups.setdefault((part.type, after, before), []).append(part)
    node = {part.urn: f"p{i}" for i, group in enumerate(groups.values()) for part in group}
    lines = ["flowchart LR"]
    for group in groups.values():
        names = "<br/>".join(part.name for part in group)
        lines.append(f'  {node[group[0].urn]}["{names}<br/><i>{_kind(group[0].type)}</i>"]')
    drawn = dict.fromkeys((node[start], node[end]) for start, end in sorted(arrows))
    return "\n".join([*lines, *(f"  {start} --> {end}" for start, end in drawn)])


def _essential(arrows: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """The arrows without those that longer ways imply."""
    targets: dict[str, set[str]] = {}
    for start, end in arrows:
        targets.setdefault(start, set()).add(end)

    def reaches(start: str, end: str, seen: set[str]) -> bool:
        ahead = targets.get(start, set()) - seen
        return end in ahead or any(reaches(step, end, seen | {step}) for step in ahead)

    return {
        (start, end) for start, end in arrows if not any(reaches(step, end, {start}) for step in targets[start] - {end})
    }


def _findings(plan: Plan) -> list[str]:
    """What the policies find, and apart from it what exceptions let stand."""
    standing = [finding for finding in plan.findings if not finding.excepted]
    lines = ["", f"Policy findings ({len(standing)})"]
    for finding in standing:
        answers = f" [{', '.join(finding.answers)}]" if finding.answers else ""
        level = "" if finding.level == Level.MANDATORY else f" ({finding.level})"
        lines += [f"  {finding.rule}{level}: {plan.resource(finding.urn).name}: {finding.message}{answers}"]
    excepted = [finding for finding in plan.findings if finding.excepted]
    if excepted:
        lines += ["", f"Exceptions ({len(excepted)})"]
        lines += [f"  {finding.rule}: {plan.resource(finding.urn).name}: {finding.excepted}" for finding in excepted]
    return lines


def _is_made(resource: Resource) -> bool:
    return resource.custom and not resource.type.startswith(PROVIDER)


def _kind(type_: str) -> str:
    return type_.rpartition(":")[2]


def _tree(plan: Plan, root: str) -> list[str]:
    """A line for each part at the top: its name, its kind, and what it consists of."""
    rows = []
    for part in sorted(plan.children(root), key=lambda part: (not part.type.startswith(PROVIDER), part.name)):
        if part.type.startswith(PROVIDER):
            where = part.inputs.get("region", "")
            rows.append((part.name, f"provider {part.type.removeprefix(PROVIDER)}", "", str(where)))
            continue
        below = [part, *plan.below(part.urn)]
        counts = Counter(_kind(resource.type) for resource in below if _is_made(resource))
        shown = [f"{count} {kind}" if count > 1 else kind for kind, count in counts.most_common()]
        rows.append((part.name, _kind(part.type), str(sum(counts.values())), ", ".join(shown)))
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    lines = []
    for i, (name, kind, count, consists) in enumerate(rows):
        branch = "└─" if i == len(rows) - 1 else "├─"
        head = f"{branch} {name:{widths[0]}}  {kind:{widths[1]}}  {count:>{widths[2]}}"
        lines.append(f"{head}  {_fitted(consists, 118 - len(head))}".rstrip())
    return lines


def _in_full(resource: Resource) -> list[str]:
    mark = "  (protected)" if resource.protect else ""
    lines = [f"  {resource.type}  {resource.name}{mark}"]
    return lines + [f"      {key}: {_value(value, True)}" for key, value in sorted(resource.inputs.items())]


def _value(value: Any, full: bool) -> str:
    # Empty text is a value too, and is shown as one.
    shown = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return shown if full else _fitted(shown, 90)


def _fitted(line: str, width: int) -> str:
    return line if len(line) <= width else line[: max(width - 1, 0)] + "…"
