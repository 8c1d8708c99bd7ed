"""Exceptions: findings that may stand for a while, each with its reason. `exceptions.yaml` holds them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from .rules.rule import Finding, Level

FILE = Path(__file__).with_name("exceptions.yaml")
KEYS = ("rule", "stack", "urn", "reason", "expires")
RAN_OUT = "The exception ran out on"
"""Stands in the message of a finding whose exception is over."""
STALE = "exception-needed"
"""What a finding about an exception is called that is about nothing."""
_STALE_MEANING = "An exception goes when what it was made for is mended."


class ExceptionsError(Exception):
    """What is wrong with the exceptions, each with its entry, value and remedy."""


@dataclass(frozen=True)
class Allowance:
    """A finding that may stand."""

    rule: str
    stack: str
    urn: str
    """URN of the resource, in which `*` stands for anything."""
    reason: str
    expires: date
    """The last day of it."""

    def covers(self, finding: Finding) -> bool:
        """Whether it is about the finding, whatever the day."""
        return (
            finding.rule == self.rule
            and stack_of(finding.urn) == self.stack
            and fnmatchcase(finding.urn, self.urn.replace("[", "[[]"))
        )


def stack_of(urn: str) -> str:
    """The stack that a URN names."""
    return urn.removeprefix("urn:pulumi:").partition("::")[0]


def excepted(findings: Sequence[Finding], allowances: Sequence[Allowance], today: date) -> list[Finding]:
    """The findings, where one that may stand says so, and one that might until some day says that the day is past."""
    return [_weighed(finding, allowances, today) for finding in findings]


def _weighed(finding: Finding, allowances: Sequence[Allowance], today: date) -> Finding:
    about = [each for each in allowances if each.covers(finding)]
    if not about:
        return finding
    latest = max(about, key=lambda each: each.expires)
    if latest.expires >= today:
        return replace(finding, excepted=f"until {latest.expires}: {latest.reason}")
    past = f"{RAN_OUT} {latest.expires}: mend this, or give it a later date in {FILE.name}."
    return replace(finding, message=f"{finding.message} {past}")


def stale(stack_urn: str, findings: Sequence[Finding], allowances: Sequence[Allowance]) -> list[Finding]:
    """A finding, on the stack itself, for each of its exceptions that is about no finding."""
    return [
        Finding(
            STALE,
            stack_urn,
            f"{_STALE_MEANING} Here the one from `{each.rule}` for {each.urn}, until {each.expires}, is about nothing: "
            f"take it out of {FILE.name}.",
            [],
            Level.ADVISORY,
        )
        for each in allowances
        if each.stack == stack_of(stack_urn) and not any(map(each.covers, findings))
    ]


def load(rules: Collection[str], path: Path = FILE) -> list[Allowance]:
    """The exceptions in a file, from the rules with the ids.

    Raises `ExceptionsError` with all that is wrong.
    """
    try:
        content = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise ExceptionsError(f"{path.name} is no YAML: {' '.join(str(error).split())}") from error
    entries = (content or {}).get("exceptions") if isinstance(content or {}, dict) else None
    if not isinstance(entries, list) or set(content) != {"exceptions"}:
        raise ExceptionsError(f"{path.name} must hold one key, `exceptions`, with a list; an empty one is []")
    problems = [
        f"{path.name}, entry {i}: {problem}"
        for i, entry in enumerate(entries, 1)
        for problem in _problems(entry, rules)
    ]
    if problems:
        raise ExceptionsError("\n".join(problems))
    return [Allowance(**{**entry, "reason": " ".join(entry["reason"].split())}) for entry in entries]


def _problems(entry: Any, rules: Collection[str]) -> list[str]:
    if not isinstance(entry, dict):
        return [f"{entry!r}: give {', '.join(KEYS)}"]
    found = [f"{key}={entry[key]!r}: no such key; there are {', '.join(KEYS)}" for key in entry if key not in KEYS]
    remedies = {
        "rule": "name a rule; `python -m policy list` shows them",
        "stack": "name the stack that it is for",
        "urn": "give the resource's URN; `*` stands for anything",
        "reason": "say why the finding may stand",
    }
    for key, remedy in remedies.items():
        value = entry.get(key)
        if not isinstance(value, str) or not value.strip():
            found.append(f"{key}={value!r}: {remedy}")
    rule, expires = entry.get("rule"), entry.get("expires")
    if isinstance(rule, str) and rule.strip() and rule not in rules:
        close = get_close_matches(rule, rules, 1)
        hint = f"did you mean `{close[0]}`?" if close else "`python -m policy list` shows them"
        found.append(f"rule={rule!r}: no such rule; {hint}")
    if type(expires) is not date:
        found.append(f"expires={expires!r}: give the last day of it, as in 2027-12-31")
    return found
