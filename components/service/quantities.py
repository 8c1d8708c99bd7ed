"""Kubernetes quantities: how much CPU, memory or storage, as text."""

import re
from collections.abc import Callable
from fractions import Fraction

_FORM = re.compile(
    r"(?P<number>\d+\.?\d*|\.\d+)(?:(?P<suffix>[KMGTPE]i|[numkMGTPE])|[eE](?P<exponent>[+-]?\d{1,2}))?", re.ASCII
)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_FACTORS = {suffix: Fraction(10) ** power for suffix, power in _DECIMAL.items()} | {
    suffix: Fraction(2) ** power for suffix, power in _BINARY.items()
}


def quantity(text: str) -> Fraction:
    """The number that a quantity says, in whole units: `250m` is a quarter, `1Ki` is 1024.

    Raises `ValueError` for text that is no quantity, and for one below zero.
    """
    found = _FORM.fullmatch(text)
    if not found:
        raise ValueError("write a number, and a unit after it where one is needed: 250m, 2, 64Mi, 1.5Gi")
    factor = Fraction(10) ** int(found["exponent"]) if found["exponent"] else _FACTORS[found["suffix"] or ""]
    return Fraction(found["number"]) * factor


def cpu(text: str) -> Fraction:
    """How many CPUs a quantity says.

    Raises `ValueError` for text that is no number of CPUs above zero, in whole thousandths.
    """
    number = quantity(text)
    if not number or (number * 1000).denominator != 1:
        raise ValueError("give CPUs in thousandths above 0, for example 250m, or whole ones, for example 2")
    if number > 1024:
        raise ValueError("that many CPUs no machine has; thousandths have the unit m, for example 250m")
    return number


def memory(text: str) -> int:
    """How many bytes a quantity says.

    Raises `ValueError` for text that is no number of bytes above zero: `64m` would be 64 thousandths of one.
    """
    number = quantity(text)
    if not number or number.denominator != 1:
        raise ValueError("give whole bytes above 0, with a unit such as Mi or Gi, for example 64Mi")
    return int(number)


def quantity_problem(text: str) -> str | None:
    """What to write instead of text that is no quantity."""
    return _problem(quantity, text)


def cpu_problem(text: str) -> str | None:
    """What to write instead of text that is no number of CPUs."""
    return _problem(cpu, text)


def memory_problem(text: str) -> str | None:
    """What to write instead of text that is no number of bytes."""
    return _problem(memory, text)


def cpu_text(number: Fraction) -> str:
    """A number of CPUs, as the API server writes it."""
    return str(number) if number.denominator == 1 else f"{int(number * 1000)}m"


def _problem(read: Callable[[str], object], text: str) -> str | None:
    try:
        read(text)
    except ValueError as error:
        return str(error)
    return None
