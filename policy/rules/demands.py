"""What a property must be."""

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .paths import MISSING, SECRET, UNKNOWN

DEV, STAGING, PROD = "dev", "staging", "prod"
EVERY_TIER = (DEV, STAGING, PROD)
DURABLE = (STAGING, PROD)
"""The tiers whose data must survive a mistake."""


@dataclass(frozen=True)
class Demand:
    """What a property must be. A value that only the cloud knows, or a secret, is taken for right."""

    words: str
    """Completes the sentence `the property must ...`."""
    holds: Callable[[Any, str], bool]
    """Whether a value, or `MISSING`, is that at a tier."""
    breaks: Callable[[str], Sequence[Any]]
    """Values that are not, at a tier. The mutants put them in."""
    needed: bool = True
    """Whether leaving the property out breaks the demand too."""


def given() -> Demand:
    """Set to anything but nothing."""
    return _demand("be set", _is_given)


def true() -> Demand:
    """True, and said so."""
    return _demand("be true", lambda value: value is True, False)


def false() -> Demand:
    """False, and said so."""
    return _demand("be false", lambda value: value is False, True)


def equal(*choices: Any, breaks: Sequence[Any]) -> Demand:
    """One of the choices."""
    return _demand(f"be {' or '.join(map(str, choices))}", lambda value: value in choices, *breaks)


def matching(pattern: str, words: str, *breaks: Any) -> Demand:
    """Text of a pattern."""
    return _demand(words, lambda value: isinstance(value, str) and bool(re.fullmatch(pattern, value)), *breaks)


def including(*members: Any) -> Demand:
    """A list that has all the members."""

    def holds(value: Any) -> bool:
        return isinstance(value, list) and (UNKNOWN in value or all(member in value for member in members))

    breaks = [[other for other in members if other != member] for member in members]
    return _demand(f"include {' and '.join(map(str, members))}", holds, *breaks)


def at_least(least: int, dev: int | None = None) -> Demand:
    """A number, and not a smaller one than the least; `dev` is the least at that tier."""
    in_dev = least if dev is None else dev

    def limit(tier: str) -> int:
        return in_dev if tier == DEV else least

    def holds(value: Any, tier: str) -> bool:
        return value in (UNKNOWN, SECRET) or (_is_number(value) and value >= limit(tier))

    def breaks(tier: str) -> Sequence[Any]:
        return [limit(tier) - 1] if limit(tier) else []

    words = f"be {least} or more" + (f", in dev {in_dev}" if in_dev != least else "")
    return Demand(words, holds, breaks)


def at_most(most: int) -> Demand:
    """A number, and not a greater one than the most."""
    return _demand(f"be {most} or less", lambda value: _is_number(value) and value <= most, most + 1)


def absent(*breaks: Any) -> Demand:
    """Not set, or false. An unknown value and a secret one are set."""
    return Demand("not be set", lambda value, _: value is False or not _is_given(value), lambda _: breaks, needed=False)


def never(words: str, wrong: Callable[[Any], bool], *breaks: Any) -> Demand:
    """Not set, or at least not to something wrong."""

    def holds(value: Any, tier: str) -> bool:
        return value is MISSING or value in (UNKNOWN, SECRET) or not wrong(value)

    return Demand(words, holds, lambda _: breaks, needed=False)


def not_everyone(*breaks: str) -> Demand:
    """Not a block so wide that it is the internet."""
    return never("not let the internet in", is_internet, *breaks)


def judged(*breaks: Any, needed: bool = True) -> Demand:
    """Whatever the rule's own check makes of it: it must notice the absence, where needed, and the breaks."""
    return Demand("be as the rule says", lambda value, _: True, lambda _: breaks, needed)


def is_internet(block: Any) -> bool:
    """Whether an address block is most of the internet. Two halves of it are no way around the rule."""
    try:
        network = ipaddress.ip_network(block, strict=False)
    except ValueError:
        return False
    return network.prefixlen < (8 if network.version == 4 else 16)


def _demand(words: str, holds: Callable[[Any], bool], *breaks: Any) -> Demand:
    return Demand(words, lambda value, _: value in (UNKNOWN, SECRET) or holds(value), lambda _: breaks)


def _is_given(value: Any) -> bool:
    return value is not MISSING and value not in (None, "", [], {})


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
