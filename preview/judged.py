"""A plan with what the policies find in it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from policy import catalogue
from policy.exceptions import ExceptionsError

from .answers import made_up
from .plan import Plan
from .project import Configuration, PreviewError
from .record import record


def judged_plan(configuration: Configuration, program: Path | Callable[[], None]) -> Plan:
    """Record the stack's program and judge what it asks for.

    The rules look at a second recording, with made-up answers: in a preview most policy documents are unknown, since
    they hold ARNs that only the cloud can give.

    Raises `PreviewError` as `record` does, and for exceptions to the policies that say too little.
    """
    plan = record(configuration, program).plan
    known = record(configuration, program, made_up).plan
    try:
        return replace(plan, findings=catalogue.judge(known))
    except ExceptionsError as error:
        raise PreviewError(str(error)) from error
