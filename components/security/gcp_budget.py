"""What a project of Google Cloud may cost."""

from collections.abc import Iterator
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from ..component import Component, at_least, checked, checked_name, matching
from ..problems import InputError, Problem
from .google import GcpScope, scope_problem

_MOST_CHANNELS = 5


class GcpBudgetArgs(TypedDict):
    """What a project is to cost, and who is told when it costs more."""

    scope: GcpScope
    """The project. Budgets belong to no region."""
    billing_account: str
    """The account that pays for it, `XXXXXX-XXXXXX-XXXXXX`."""
    monthly_units: int
    """What a month may cost, in whole units of the currency, 1 or more."""
    currency: NotRequired[str]
    """Code of the currency, which must be the billing account's own, such as `EUR`. Default: that one."""
    thresholds: NotRequired[list[int]]
    """At how much of the budget somebody is told, in percent, 1 to 1000. They are told besides when Google forecasts
    more than 100 percent. Default: 50, 80 and 100."""
    channels: NotRequired[pulumi.Input[list[str]]]
    """Notification channels that are told. They must be for e-mail: `mail` of `GcpNotificationChannels`. Google takes
    5; of more that are not known before, the first 5 are told. Default: none."""
    topic: NotRequired[pulumi.Input[str]]
    """Id of a Pub/Sub topic that is told several times a day what was spent. Who makes the budget must be allowed to
    change its policy. Default: none."""
    billing_administrators: NotRequired[bool]
    """Whether administrators and users of the billing account are told. Default: yes."""


_RULES = {
    "scope": scope_problem,
    "billing_account": matching(
        r"[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}", "give its id, XXXXXX-XXXXXX-XXXXXX, in digits and capitals"
    ),
    "monthly_units": at_least(1),
    "currency": matching(r"[A-Z]{3}", "give a code of three capitals, such as EUR"),
}


class GcpBudget(Component):
    """A monthly budget of a project that warns before it is spent.

    It belongs to the billing account: who makes it needs `roles/billing.costsManager` there.

    Raises `InputError` for bad args and where nobody would be told.
    """

    budget_name: pulumi.Output[str]
    """Name of the budget, `billingAccounts/<account>/budgets/<id>`."""

    def __init__(self, name: str, args: GcpBudgetArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GcpBudget {name}"
        args = checked(GcpBudgetArgs, args, subject, _RULES)
        checked_name(name, subject, 60, r".+", "give it a name")
        if problems := list(_problems(args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        amount: gcp.billing.BudgetAmountSpecifiedAmountArgsDict = {"units": str(args["monthly_units"])}
        if "currency" in args:
            amount["currency_code"] = args["currency"]
        budget = gcp.billing.Budget(
            name,
            billing_account=args["billing_account"],
            display_name=name,
            budget_filter={"projects": [f"projects/{args['scope']['number']}"], "calendar_period": "MONTH"},
            amount={"specified_amount": amount},
            threshold_rules=[
                *(_rule(percent, "CURRENT_SPEND") for percent in args.get("thresholds", [50, 80, 100])),
                _rule(100, "FORECASTED_SPEND"),
            ],
            all_updates_rule=_told(args),
            opts=self._child(),
        )
        self.budget_name = budget.name
        self._register()


def _rule(percent: int, basis: str) -> gcp.billing.BudgetThresholdRuleArgsDict:
    return {"threshold_percent": percent / 100, "spend_basis": basis}


def _told(args: GcpBudgetArgs) -> gcp.billing.BudgetAllUpdatesRuleArgsDict | None:
    """Google takes no such rule for those alone whom it tells anyway."""
    if "channels" not in args and "topic" not in args:
        return None
    told: gcp.billing.BudgetAllUpdatesRuleArgsDict = {
        "disable_default_iam_recipients": not args.get("billing_administrators", True)
    }
    if "channels" in args:
        told["monitoring_notification_channels"] = pulumi.Output.from_input(args["channels"]).apply(
            lambda channels: channels[:_MOST_CHANNELS]
        )
    if "topic" in args:
        told |= {"pubsub_topic": args["topic"], "schema_version": "1.0"}
    return told


def _problems(args: GcpBudgetArgs) -> Iterator[Problem]:
    channels, thresholds = args.get("channels"), args.get("thresholds", [50, 80, 100])
    # Of those that are not known yet there may be none, or more than Google takes.
    if isinstance(channels, list) and not 1 <= len(channels) <= _MOST_CHANNELS:
        yield Problem("channels", channels, f"name 1 to {_MOST_CHANNELS} channels, or leave it out")
    if not thresholds:
        yield Problem("thresholds", thresholds, "give one percentage or more, or leave it out")
    for i, percent in enumerate(thresholds):
        if not 1 <= percent <= 1000:
            yield Problem(f"thresholds[{i}]", percent, "give 1 to 1000 percent")
        elif percent in thresholds[:i]:
            yield Problem(f"thresholds[{i}]", percent, "is listed twice; leave one out")
    if not args.get("billing_administrators", True) and "channels" not in args and "topic" not in args:
        yield Problem("billing_administrators", False, "give `channels` or a `topic`, or nobody is told")
