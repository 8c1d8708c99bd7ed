"""A plan with what the policies find in it."""

from dataclasses import replace
from pathlib import Path

from policy import catalogue

from .plan import Plan
from .project import Configuration
from .record import record


def judged_plan(configuration: Configuration, program: Path) -> Plan:
    """Record the stack's program and judge what it asks for.

    Raises `PreviewError` as `record` does.
    """
    plan = record(configuration, program).plan
    return replace(plan, findings=catalogue.judge(plan))
