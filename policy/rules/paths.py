"""Property paths, in Pulumi's own notation and a little more.

`a.b` and `a["b.c"]` step into an object, `a[*]` into each item of a list, and `a[name=x]` into the items with that
name. `a?` steps in only where there is an `a`, and `a|b` into both, or whichever there is. A step into text reads it as
JSON: policy documents and the properties of providers are such text.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

UNKNOWN = "[unknown]"
"""Stands in a plan for a value that only the cloud can give."""
SECRET = "[secret]"  # noqa: S105
"""Stands in a plan for a secret value."""


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING = _Missing()
"""Stands for a property that is not set."""

_STEP = re.compile(
    r"\.?(?P<key>[\w:-]+(?:\|[\w:-]+)*)(?P<maybe>\??)"
    r'|\["(?P<quoted>[^"]+)"\]|(?P<each>\[\*\])|\[(?P<by>\w+)=(?P<wanted>[^\]]+)\]'
)


class Place(NamedTuple):
    """Where a path leads in a value, and what is there."""

    keys: tuple[str | int, ...] | None
    """The keys and indices that lead there, or None where a list has no item to step into."""
    found: Any
    """The value, `MISSING`, or `UNKNOWN` where the path leads through something unknown."""


def locate(value: Any, path: str) -> list[Place]:
    """All places that the path leads to: one, but for steps into lists."""
    return list(_walk(value, _steps(path), ()))


def read(value: Any, path: str) -> Any:
    """What is at the first of those places."""
    return locate(value, path)[0].found


def parsed(value: Any) -> Any:
    """Text as the JSON object or list that it is; anything else as it is."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


@cache
def _steps(path: str) -> tuple[re.Match[str], ...]:
    steps = tuple(_STEP.finditer(path))
    if "".join(step.group() for step in steps) != path:
        raise ValueError(f"{path} is no property path")
    return steps


def _walk(value: Any, steps: tuple[re.Match[str], ...], keys: tuple[str | int, ...]) -> Iterator[Place]:
    if not steps or value in (UNKNOWN, SECRET):
        yield Place(keys, value)
        return
    step, rest, value = steps[0], steps[1:], parsed(value)
    if step["key"] or step["quoted"]:
        names = step["key"].split("|") if step["key"] else [step["quoted"]]
        content = value if isinstance(value, dict) else {}
        there = [name for name in names if content.get(name)]
        if step["maybe"] and not there:
            yield from _walk(value, rest, keys)
            return
        for name in there or names[:1]:
            yield from _walk(content.get(name, MISSING), rest, (*keys, name))
        return
    items = [(i, item) for i, item in enumerate(value if isinstance(value, list) else []) if _selected(step, item)]
    if not items:
        yield Place(None, MISSING)
    for i, item in items:
        yield from _walk(item, rest, (*keys, i))


def _selected(step: re.Match[str], item: Any) -> bool:
    if step["each"] or item == UNKNOWN:
        return True
    return isinstance(item, dict) and str(item.get(step["by"])) == step["wanted"]
