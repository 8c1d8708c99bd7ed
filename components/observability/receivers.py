"""Who is told of what goes wrong, in whatever cloud."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence

from ..problems import MISSING, Problem, one_of

CRITICAL, WARNING = "critical", "warning"
SEVERITIES = (CRITICAL, WARNING)
_SHAPES = {"mailto": r"mailto:[^@\s]+@[^@\s]+\.[^@\s]+", "https": r"https://[^\s/]+\S*"}


def digest(receiver: str) -> str:
    """A stable key that shows nobody's address."""
    return hashlib.sha256(receiver.encode()).hexdigest()[:8]


def receiver_problems(receivers: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    """What is wrong with receivers by severity. An endpoint may hold a key, so that no problem shows one."""
    for severity, told in receivers.items():
        if severity not in SEVERITIES:
            yield Problem(f"receivers.{severity}", MISSING, one_of(SEVERITIES, severity))
        for i, receiver in enumerate(told):
            path, scheme = f"receivers.{severity}[{i}]", receiver.partition(":")[0]
            if scheme not in _SHAPES:
                yield Problem(path, MISSING, "write it as mailto:<address> or https://<endpoint>; nothing else is told")
            elif not re.fullmatch(_SHAPES[scheme], receiver):
                example = "mailto:web@example.com" if scheme == "mailto" else "https://events.example.com/key"
                yield Problem(path, MISSING, f"is no address; write it as {example}")
            if receiver in told[:i]:
                yield Problem(path, MISSING, "stands twice; name each receiver once")
