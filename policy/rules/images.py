"""Container images."""

from .demands import Demand, matching

_NAME = r"(?:[^\s@]+/)?[^\s/:@]+"
_TAG = r":[\w][\w.-]*"
_DIGEST = r"@sha256:[0-9a-f]{64}"


def pinned() -> Demand:
    """The same image tomorrow as today, as far as its name can say so."""
    return matching(
        rf"{_NAME}(?:(?:{_TAG})?{_DIGEST}|(?!:latest$){_TAG})",
        "have a digest or a tag other than latest",
        "registry.example:5000/app",
        "registry.example/app:latest",
    )
