"""A plan with what the policies find in it."""

import multiprocessing
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from policy import catalogue
from policy.exceptions import ExceptionsError

from .answers import made_up
from .plan import Plan
from .project import Configuration, PreviewError
from .record import load, record

_CAN_FORK = sys.platform == "linux"
"""Elsewhere, a copy of a process that has loaded the SDK may not work."""


def judged_plan(configuration: Configuration, program: Path | Callable[[], None]) -> Plan:
    """Record the stack's program and judge what it asks for.

    Raises `PreviewError` as `record` does, and for exceptions to the policies that say too little.
    """
    plan = record(configuration, program).plan
    return replace(plan, findings=findings(configuration, program))


def judged_side_by_side(configuration: Configuration, program: Path) -> Plan:
    """The same, with the plan and what is found in it made at the same time, in a process each.

    Raises `PreviewError` as `judged_plan` does.
    """
    if not _CAN_FORK or (os.cpu_count() or 1) < 2:
        return judged_plan(configuration, program)
    # Loading the SDK takes as long as a recording: once is enough for both processes.
    load(configuration, program)
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    other = context.Process(target=_send_findings, args=(sender, configuration, program))
    other.start()
    sender.close()
    try:
        plan = record(configuration, program).plan
        found = receiver.recv()
    finally:
        other.join()
    if isinstance(found, PreviewError):
        raise found
    return replace(plan, findings=found)


def _send_findings(sender: Connection, configuration: Configuration, program: Path) -> None:
    try:
        sender.send(findings(configuration, program))
    except PreviewError as error:
        sender.send(error)


def findings(configuration: Configuration, program: Path | Callable[[], None]) -> list[catalogue.Finding]:
    """What the policies find in a stack.

    The rules look at a recording of their own, with made-up answers: in a preview most policy documents are unknown,
    since they hold ARNs that only the cloud can give.

    Raises `PreviewError` as `judged_plan` does.
    """
    known = record(configuration, program, made_up).plan
    try:
        return catalogue.judge(known)
    except ExceptionsError as error:
        raise PreviewError(str(error)) from error
