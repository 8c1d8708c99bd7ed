"""What an account may cost."""

import re
from collections.abc import Iterable
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..component import Component, checked
from ..problems import InputError, Problem
from .policy import AwsScope

_ADDRESS = r"[^@\s]+@[^@\s]+\.[^@\s]+"
_MOST_RECEIVERS = 10
_MOST_THRESHOLDS = 9


class AwsBudgetArgs(TypedDict):
    """What an account is to cost, and who is told when it costs more."""

    scope: AwsScope
    """The account. Budgets belong to no region."""
    monthly_usd: float
    """What a month may cost, in US dollars, more than 0."""
    receivers: list[str]
    """E-mail addresses that are told, 1 to 10."""
    topic_arn: NotRequired[pulumi.Input[str]]
    """ARN of an SNS topic that is told of the budget too. Its policy lets `budgets.amazonaws.com` publish. Default:
    none."""
    thresholds: NotRequired[list[int]]
    """At how much of the budget receivers are told, in percent, 1 to 1000, up to 9 of them. They are told besides when
    AWS forecasts more than 100 percent. Default: 50, 80 and 100."""
    anomalies: NotRequired[bool]
    """Whether receivers are told once a day of services that suddenly cost more. Default: yes."""
    anomaly_usd: NotRequired[float]
    """What a sudden rise must come to before it is told, in US dollars, 0 or more. Default: 100."""
    anomaly_monitor_arn: NotRequired[pulumi.Input[str]]
    """ARN of the account's monitor of services, where it has one: AWS allows one alone, and makes it for many accounts.
    Default: it is made here."""


class AwsBudget(Component):
    """A monthly budget that warns before it is spent, and a look-out for sudden rises.

    Raises `InputError` for bad args and where nobody would be told.
    """

    budget_name: pulumi.Output[str]
    """Name of the budget."""
    budget_arn: pulumi.Output[str]
    """ARN of the budget."""

    def __init__(self, name: str, args: AwsBudgetArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"AwsBudget {name}"
        args = checked(AwsBudgetArgs, args, subject)
        if problems := list(_problems(args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        budget = aws.budgets.Budget(
            name,
            account_id=args["scope"]["account"],
            budget_type="COST",
            limit_amount=f"{args['monthly_usd']:.2f}",
            limit_unit="USD",
            time_unit="MONTHLY",
            notifications=[
                *(_notification(args, "ACTUAL", percent) for percent in args.get("thresholds", [50, 80, 100])),
                _notification(args, "FORECASTED", 100),
            ],
            opts=self._child(),
        )
        if args.get("anomalies", True):
            self._watch(name, args)
        self.budget_name = budget.name
        self.budget_arn = budget.arn
        self._register()

    def _watch(self, name: str, args: AwsBudgetArgs) -> None:
        monitor_arn = args.get("anomaly_monitor_arn")
        if monitor_arn is None:
            monitor_arn = aws.costexplorer.AnomalyMonitor(
                f"{name}-services", monitor_type="DIMENSIONAL", monitor_dimension="SERVICE", opts=self._child()
            ).arn
        aws.costexplorer.AnomalySubscription(
            f"{name}-rises",
            account_id=args["scope"]["account"],
            frequency="DAILY",  # the most frequent that goes by e-mail
            monitor_arn_lists=[monitor_arn],
            subscribers=[{"type": "EMAIL", "address": address} for address in args["receivers"]],
            threshold_expression={
                "dimension": {
                    "key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE",
                    "match_options": ["GREATER_THAN_OR_EQUAL"],
                    "values": [f"{args.get('anomaly_usd', 100.0):.2f}"],
                }
            },
            opts=self._child(),
        )


def _notification(args: AwsBudgetArgs, kind: str, percent: int) -> aws.budgets.BudgetNotificationArgsDict:
    notification: aws.budgets.BudgetNotificationArgsDict = {
        "comparison_operator": "GREATER_THAN",
        "notification_type": kind,
        "threshold": float(percent),
        "threshold_type": "PERCENTAGE",
        "subscriber_email_addresses": args["receivers"],
    }
    if "topic_arn" in args:
        notification["subscriber_sns_topic_arns"] = [args["topic_arn"]]
    return notification


def _problems(args: AwsBudgetArgs) -> Iterable[Problem]:
    receivers, thresholds = args["receivers"], args.get("thresholds", [])
    if args["monthly_usd"] <= 0:
        yield Problem("monthly_usd", args["monthly_usd"], "give more than 0 US dollars")
    if not 1 <= len(receivers) <= _MOST_RECEIVERS:
        yield Problem("receivers", receivers, f"name 1 to {_MOST_RECEIVERS} e-mail addresses, or nobody is told")
    for i, address in enumerate(receivers):
        if not re.fullmatch(_ADDRESS, address):
            yield Problem(f"receivers[{i}]", address, "give an e-mail address, for example costs@example.com")
        elif address in receivers[:i]:
            yield Problem(f"receivers[{i}]", address, "is listed twice; leave one out")
    if "thresholds" in args and not 1 <= len(thresholds) <= _MOST_THRESHOLDS:
        yield Problem("thresholds", thresholds, f"give 1 to {_MOST_THRESHOLDS} percentages, or leave it out")
    for i, percent in enumerate(thresholds):
        if not 1 <= percent <= 1000:
            yield Problem(f"thresholds[{i}]", percent, "give 1 to 1000 percent")
        elif percent in thresholds[:i]:
            yield Problem(f"thresholds[{i}]", percent, "is listed twice; leave one out")
    if args.get("anomaly_usd", 0) < 0:
        yield Problem("anomaly_usd", args.get("anomaly_usd"), "give 0 US dollars or more")
