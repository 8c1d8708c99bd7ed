"""One cloud or another, where an add-on may use either."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..problems import MISSING, Problem


def provider_problem(provider: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong where not exactly one cloud is given."""
    if not provider:
        yield Problem("provider", MISSING, "names no cloud; give `aws` or `google`")
    if len(provider) > 1:
        yield Problem("provider", " and ".join(sorted(provider)), "names two clouds; give `aws` or `google`")
