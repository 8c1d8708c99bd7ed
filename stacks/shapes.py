"""What text in a stack file may look like, each shape with words for whoever writes something else."""

import re
from collections.abc import Callable
from ipaddress import IPv4Address
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from components.network.subnets import client_block_problem
from components.platform.names import LABEL
from components.service.pod import version_problem
from components.service.quantities import cpu_problem, memory_problem

_LONGEST_NAME = 253
"""Characters of a name in DNS."""


def worded(problem: Callable[[str], str | None]) -> AfterValidator:
    """For a field's annotation: text with which nothing is wrong, by a function that says what to write instead."""

    def check(text: str) -> str:
        if remedy := problem(text):
            raise PydanticCustomError("shape", "{remedy}", {"remedy": remedy})
        return text

    return AfterValidator(check)


def shaped(pattern: str, remedy: str) -> AfterValidator:
    """For a field's annotation: text that matches the whole pattern. The remedy says in words what to write."""
    return worded(lambda text: None if re.fullmatch(pattern, text, re.ASCII) else remedy)


def host_problem(text: str) -> str | None:
    """What to write instead of text that is no host name."""
    if len(text) <= _LONGEST_NAME and re.fullmatch(rf"({LABEL}\.)+[a-z]({_INNER})", text):
        return None
    return "write one host name in small letters, like api.example.com"


def object_name_problem(text: str) -> str | None:
    """What to write instead of text that no object in Kubernetes is called by: a subdomain of DNS."""
    if len(text) <= _LONGEST_NAME and re.fullmatch(rf"{LABEL}(\.{LABEL})*", text):
        return None
    return (
        "no name in Kubernetes; write small letters, digits, hyphens and single dots, a letter or digit first and last"
    )


def is_ipv4(text: str) -> bool:
    """Whether text is an IPv4 address."""
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def address_problem(text: str) -> str | None:
    """What to write instead of text that is neither a host name nor an IPv4 address."""
    if is_ipv4(text):
        return None
    if re.fullmatch(r"[\d.]+", text):
        return "no IPv4 address; four numbers from 0 to 255 make one, like 192.0.2.10"
    if len(text) <= _LONGEST_NAME and re.fullmatch(rf"({LABEL}\.)*[a-z]({_INNER})?", text):
        return None
    return "write a host name in small letters, like db.example.com, or an IPv4 address, like 192.0.2.10"


def block_problem(text: str) -> str | None:
    """What to write instead of text that is no IPv4 block of somebody, with the length of its prefix."""
    if not re.fullmatch(r"[\d.]+/\d+", text, re.ASCII):
        return "not an IPv4 block; write one like 10.20.0.0/16"
    return client_block_problem(text)


_INNER = r"[a-z0-9-]{0,61}[a-z0-9]"

Host = Annotated[str, worded(host_problem)]
ObjectName = Annotated[str, worded(object_name_problem)]
Address = Annotated[str, worded(address_problem)]
Block = Annotated[str, worded(block_problem)]
Cpu = Annotated[str, worded(cpu_problem)]
Memory = Annotated[str, worded(memory_problem)]
Version = Annotated[str, worded(version_problem)]
Registry = Annotated[
    str,
    shaped(
        r"[a-z0-9][a-z0-9.-]*(:\d+)?(/[a-z0-9._-]+)*",
        "write a registry and the path in it in small letters, like ghcr.io/your-organization",
    ),
]
