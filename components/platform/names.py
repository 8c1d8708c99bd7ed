"""Names that objects of Kubernetes have and refer to, and the labels that they carry: what the API server takes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..component import checked_name, matching
from ..problems import Problem

LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
"""A DNS label: the name of a namespace, and whatever stands in a label as well."""
LABEL_REMEDY = "give a DNS label: small letters, digits and hyphens, no hyphen first or last, 63 characters at most"
SERVICE = r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
"""A DNS label with a letter first: the name of a Service, and of a system."""
SERVICE_REMEDY = "give a DNS label: small letters, digits and hyphens, a letter first, 63 characters at most"
_PART = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
SUBDOMAIN = rf"(?!.{{254}}){_PART}(\.{_PART})*"
"""A DNS subdomain: the name of nearly everything else, such as a Secret, a class or an issuer."""
SUBDOMAIN_REMEDY = "give a name of small letters, digits, - and ., letter or digit first and last, 253 at most"
WORD = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
"""What a label says, and what its key is called."""
WORD_REMEDY = "give letters, digits, ., _ and -, letter or digit first and last, 63 characters at most"
_KEY = rf"({SUBDOMAIN}/)?{WORD}"
_KEY_REMEDY = (
    "give a key like `app.kubernetes.io/name`: letters, digits, ., _ and -, 63 characters at most, with a domain before"
)

label_problem = matching(LABEL, LABEL_REMEDY)
"""A rule: the name of a namespace."""
service_problem = matching(SERVICE, SERVICE_REMEDY)
"""A rule: the name of a service or a system."""
subdomain_problem = matching(SUBDOMAIN, SUBDOMAIN_REMEDY)
"""A rule: the name of an object."""


def checked_label(name: str, subject: str, longest: int = 63) -> None:
    """Refuse the name of a component that objects of that name, or with something after it, cannot have."""
    checked_name(name, subject, longest, LABEL, LABEL_REMEDY)


def name_problems(path: str, name: Any, pattern: str = SUBDOMAIN, remedy: str = SUBDOMAIN_REMEDY) -> Iterator[Problem]:
    """What is wrong with the name of an object that stands at the path, as far as it is known."""
    if isinstance(name, str) and not re.fullmatch(pattern, name):
        yield Problem(path, name, remedy)


def namespace_problems(namespaces: Sequence[Any], path: str = "namespaces") -> Iterator[Problem]:
    """What is wrong with the names of namespaces in a list, as far as they are known."""
    for i, namespace in enumerate(namespaces):
        yield from name_problems(f"{path}[{i}]", namespace, LABEL, LABEL_REMEDY)


def annotations_problem(annotations: Mapping[str, Any]) -> str | None:
    """A rule: annotations, whose values may be anything."""
    wrong = next((key for key in annotations if not re.fullmatch(_KEY, key)), None)
    return None if wrong is None else f"`{wrong}` is no key of an annotation; {_KEY_REMEDY}"


def label_problems(path: str, labels: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with labels that stand at the path, as far as they are known."""
    for key, value in labels.items():
        if not re.fullmatch(_KEY, key):
            yield Problem(f"{path}.{key}", value, f"that is no key of a label; {_KEY_REMEDY}")
        elif isinstance(value, str) and value and not re.fullmatch(WORD, value):
            yield Problem(f"{path}.{key}", value, WORD_REMEDY)
