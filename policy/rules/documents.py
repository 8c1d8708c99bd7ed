"""Policy documents. One that is unknown as a whole has no statements to judge."""

from collections.abc import Mapping
from typing import Any

from .paths import UNKNOWN, parsed

Statement = Mapping[str, Any]


def statements(document: Any, effect: str) -> list[Statement]:
    """The statements of a document with an effect, `Allow` or `Deny`."""
    content = parsed(document)
    found = content.get("Statement", []) if isinstance(content, dict) else []
    return [
        each for each in (found if isinstance(found, list) else [found])
        if isinstance(each, dict) and each.get("Effect") == effect
    ]  # fmt: skip


def is_unknown(document: Any) -> bool:
    """Whether nothing of a document can be seen."""
    return document == UNKNOWN


def many(value: Any) -> list[Any]:
    """One or many, as a document may write it, as many."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def title(statement: Statement) -> str:
    """How to speak of a statement."""
    return f"the statement {statement['Sid']}" if "Sid" in statement else "a statement"


def principals(statement: Statement, kind: str) -> list[str]:
    """The principals of a kind: `AWS`, `Service` or `Federated`."""
    principal = statement.get("Principal")
    return many(principal.get(kind)) if isinstance(principal, dict) else []


def is_for_everyone(statement: Statement) -> bool:
    """Whether it names everybody in the world."""
    return "*" in (statement.get("Principal"), *principals(statement, "AWS")) or "NotPrincipal" in statement


def condition_keys(statement: Statement) -> set[str]:
    """The keys that its conditions compare, in small letters, since AWS does not tell case apart."""
    operators = statement.get("Condition")
    compared = operators.values() if isinstance(operators, dict) else ()
    return {key.lower() for keys in compared if isinstance(keys, dict) for key in keys}
