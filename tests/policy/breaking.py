"""How tests break a stack."""

from collections.abc import Callable
from typing import Any

from .sketch import Sketch, document

Break = Callable[[Sketch], object]


def changed(name: str, /, **inputs: Any) -> Break:
    """Break a stack by changing inputs of a resource; None takes one away."""
    return lambda sketch: sketch.change(name, **inputs)


def without(name: str) -> Break:
    """Break a stack by leaving a resource out."""
    return lambda sketch: sketch.drop(name)


def with_options(name: str, /, **options: Any) -> Break:
    """Break a stack by changing options of a resource."""
    return lambda sketch: sketch.set(name, **options)


def with_policy(name: str, *statements: dict[str, Any]) -> Break:
    """Break a stack by giving a resource a policy of these statements alone."""
    return changed(name, policy=document(*statements))
