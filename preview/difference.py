"""What differs between two plans of a stack."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from . import knowledge
from .plan import PROVIDER, STACK_TYPE, Plan, Resource

_REFERENCE = re.compile(
    r"(?<![A-Z])(Id|Arn|Name|Identifier|Db)$|^(bucket|role|network|subnetwork|vpc|cluster|instance|topic)$"
)


class Kind(Enum):
    """What happens to a resource, in the order of how much it hurts."""

    DELETE = "delete"
    RENAME = "rename without alias"
    """It is deleted and made anew, because nothing says that it is the same."""
    REPLACE = "replace"
    """The SDK's documentation says so."""
    MAY_REPLACE = "may replace"
    """Identity, place or encryption of something that a replacement loses: the engine's preview tells."""
    UPDATE = "update"
    FOLLOW = "may change with it"
    """It is made of something that is replaced: an id or an ARN of it becomes another."""
    CREATE = "create"


class PropertyChange(NamedTuple):
    """One value that differs. `None` stands for a value that is not there."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Change:
    """What happens to one resource."""

    kind: Kind
    type: str
    name: str
    urn: str
    properties: list[PropertyChange] = field(default_factory=list)
    why: str = ""
    loses: str = ""
    """What a deletion or replacement of it loses."""

    @property
    def destroys(self) -> bool:
        """Whether something is lost that cannot be made again."""
        return bool(self.loses) and self.kind not in (Kind.UPDATE, Kind.FOLLOW, Kind.CREATE)


def compare(before: Plan, after: Plan) -> tuple[list[Change], list[str]]:
    """The changes from one plan to the other, those that hurt first, and what is to be said besides.

    What only orders resources, their dependencies, is no change.
    """
    same, removed, added = _matched(before, after)
    renamed = _renamed(before, after, removed, added)
    gone = [urn for urn in removed if urn not in renamed]
    new = [urn for urn in added if urn not in renamed.values()]
    changes = [_deleted(before.resource(urn)) for urn in gone if before.resource(urn).custom]
    changes += [_created(after.resource(urn)) for urn in new if after.resource(urn).custom]
    changes += list(_renames(before, after, renamed))
    for old, urn in same.items():
        change = _changed(before.resource(old), after.resource(urn), same)
        if change:
            changes.append(change)
    changes += _followers(after, changes, renamed)
    order = list(Kind)
    changes.sort(key=lambda change: (not change.destroys, order.index(change.kind), change.urn))
    return changes, _notes(before, after)


def _matched(before: Plan, after: Plan) -> tuple[dict[str, str], list[str], list[str]]:
    """Which resources are the same, by URN or by alias; and those of each side that have no counterpart."""
    same = {resource.urn: resource.urn for resource in before.resources if after.has(resource.urn)}
    for resource in after.resources:
        if resource.urn not in same:
            for alias in _former_urns(resource, after):
                if before.has(alias) and alias not in same:
                    same[alias] = resource.urn
                    break
    taken = set(same.values())
    removed = [resource.urn for resource in before.resources if resource.urn not in same]
    added = [resource.urn for resource in after.resources if resource.urn not in taken]
    return same, removed, added


def _former_urns(resource: Resource, plan: Plan) -> Iterator[str]:
    """The URNs that the aliases of a resource stand for, and those that it has by the aliases of its parents."""
    for alias in resource.aliases:
        if alias.startswith("urn:"):
            yield alias
            continue
        given = dict(part.split("=", 1) for part in alias.split(",") if "=" in part)
        parent = "" if alias == "noParent" else given.get("parent", resource.parent)
        yield _urn(resource.urn, parent, given.get("type", resource.type), given.get("name", resource.name))
    if plan.has(resource.parent):
        parent = plan.resource(resource.parent)
        for former in _former_urns(parent, plan):
            name = resource.name
            if name.startswith(parent.name):  # as the engine has it: a child is mostly named after its parent
                name = former.rpartition("::")[2] + name.removeprefix(parent.name)
            yield _urn(resource.urn, former, resource.type, name)


def _urn(like: str, parent: str, type_: str, name: str) -> str:
    """The URN of a type and name below a parent, in the stack of another URN."""
    chain = parent.split("::")[2] if parent else ""
    qualified = type_ if chain in ("", STACK_TYPE) else f"{chain}${type_}"
    return "::".join([*like.split("::")[:2], qualified, name])


def _renamed(before: Plan, after: Plan, removed: list[str], added: list[str]) -> dict[str, str]:
    """Pairs of a removed and an added resource that look like the same one under another URN, parents first."""
    pairs: dict[str, str] = {}
    for old in sorted(removed, key=lambda urn: urn.count("$")):
        candidates = [urn for urn in added if urn not in pairs.values()]
        scored = [(_likeness(before, after, old, urn, pairs), urn) for urn in candidates]
        best = max(scored, default=(0.0, ""))
        if best[0] >= 0.6:
            pairs[old] = best[1]
    return pairs


def _likeness(before: Plan, after: Plan, old: str, new: str, pairs: dict[str, str]) -> float:
    """How much two resources look alike, from 0 to 1."""
    one, other = before.resource(old), after.resource(new)
    if one.custom != other.custom:
        return 0
    beside = one.parent == other.parent or pairs.get(one.parent) == other.parent
    if not one.custom:
        if (one.type != other.type and one.name != other.name) or not beside:
            return 0
        mine, theirs = (
            Counter(child.type for child in plan.children(urn)) for plan, urn in ((before, old), (after, new))
        )
        return (mine & theirs).total() / max((mine | theirs).total(), 1)
    if one.type != other.type:
        return 0
    if one.parent in pairs:
        if not beside:
            return 0
        former, latter = before.resource(one.parent).name, after.resource(other.parent).name
        return 1 if other.name == one.name.replace(former, latter, 1) else 0
    keys = one.inputs.keys() | other.inputs.keys()
    equal = sum(one.inputs.get(key) == other.inputs.get(key) for key in keys)
    return 1 if one.name == other.name else 0.9 * equal / len(keys) if keys and beside else 0


def _renames(before: Plan, after: Plan, renamed: dict[str, str]) -> Iterator[Change]:
    """A change for each rename at the top of what is renamed, and one for each thing below it that would be lost."""
    for old, urn in renamed.items():
        one, other = before.resource(old), after.resource(urn)
        lost = knowledge.loses(one.type) if one.custom else ""
        if one.parent in renamed:
            if lost:
                top = before.resource(one.parent)
                yield Change(Kind.RENAME, one.type, one.name, old, why=f"it goes with {top.name} above it", loses=lost)
            continue
        below = sum(child.custom for child in before.below(old))
        why = f"now {other.type} {other.name}; to keep it, give that one aliases=[{_alias(one, other)}]"
        if below:
            why += f"; without it, {below} resources below are deleted and made anew"
        yield Change(Kind.RENAME, one.type, one.name, old, why=why, loses=lost)


def _alias(one: Resource, other: Resource) -> str:
    """The alias that the new resource needs, as its author writes it."""
    parts = []
    if one.name != other.name:
        parts.append(f'name="{one.name}"')
    if one.type != other.type:
        parts.append(f'type_="{one.type}"')
    if one.parent != other.parent:
        parts.append(f'parent="{one.parent}"')
    return f"pulumi.Alias({', '.join(parts)})"


def _deleted(resource: Resource) -> Change:
    return Change(Kind.DELETE, resource.type, resource.name, resource.urn, loses=knowledge.loses(resource.type))


def _created(resource: Resource) -> Change:
    return Change(Kind.CREATE, resource.type, resource.name, resource.urn)


def _changed(one: Resource, other: Resource, same: dict[str, str]) -> Change | None:
    properties = list(differences(one.inputs, other.inputs))
    if one.protect != other.protect:
        properties.append(PropertyChange("(protect)", one.protect, other.protect))
    moved = bool(one.provider) and same.get(one.provider, one.provider) != other.provider
    if moved:
        properties.append(PropertyChange("(provider)", one.provider, other.provider))
    if not properties or not other.custom:
        return None
    lost = knowledge.loses(other.type)
    documented = [each.path for each in properties if knowledge.documented_to_replace(other.type, each.path)]
    identity = [
        each.path for each in properties if lost and (knowledge.is_identity(each.path) or each.path == "(provider)")
    ]
    kind, why = Kind.UPDATE, ""
    if documented:
        kind, why = Kind.REPLACE, f"the SDK's documentation says that another {', '.join(documented)} replaces it"
    elif identity:
        kind, why = Kind.MAY_REPLACE, f"another {', '.join(identity)} may replace it; the engine's preview tells"
    return Change(kind, other.type, other.name, other.urn, properties, why, lost)


def _followers(after: Plan, changes: list[Change], renamed: dict[str, str]) -> list[Change]:
    """What is made of something that is replaced, and changes with it.

    One reference, such as `vpcId`, mostly says what a resource is part of: another one may replace it, and so whatever
    is made of it. Of several, such as `subnetIds`, it mostly takes others in their place.
    """
    replaced = {change.urn for change in changes if change.kind in (Kind.REPLACE, Kind.MAY_REPLACE)} | {
        *renamed.values()
    }
    hit = {change.urn for change in changes} | replaced
    found: list[Change] = []
    ahead = list(replaced)
    while ahead:
        source = ahead.pop()
        for resource in after.resources:
            keys = [key for key, urns in resource.property_dependencies.items() if source in urns]
            if resource.urn in hit or not keys:
                continue
            hit.add(resource.urn)
            part_of = [key for key in keys if _REFERENCE.search(key)]
            if part_of:
                ahead.append(resource.urn)
            lost = knowledge.loses(resource.type) if part_of else ""
            why = f"its {', '.join(part_of or keys)} comes from {after.resource(source).name}, which may be replaced"
            kind = Kind.MAY_REPLACE if lost else Kind.FOLLOW
            found.append(Change(kind, resource.type, resource.name, resource.urn, why=why, loses=lost))
    return found


def _notes(before: Plan, after: Plan) -> list[str]:
    notes = []
    for provider in after.resources:
        if provider.type.startswith(PROVIDER) and before.has(provider.urn):
            old = before.resource(provider.urn)
            if old.inputs.get("defaultTags") != provider.inputs.get("defaultTags"):
                mine = [resource for resource in after.resources if resource.provider == provider.urn]
                tagged = sum(knowledge.takes(resource.type, "tags") for resource in mine)
                notes.append(
                    f"default tags of {provider.name} change: so do the tags of {tagged} resources that use it"
                )
    return notes


def differences(before: Any, after: Any, path: str = "") -> Iterator[PropertyChange]:
    """Where two values differ, as deep as they can be followed. JSON text, such as a policy, is followed too."""
    before, after = _opened(before), _opened(after)
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            here = f"{path}.{key}" if path else str(key)
            yield from differences(before.get(key), after.get(key), here)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for i, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{path}[{i}]")
    elif before != after:
        yield PropertyChange(path, before, after)


def _opened(value: Any) -> Any:
    if isinstance(value, str) and re.match(r"\s*[\[{]", value):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
