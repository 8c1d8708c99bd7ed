"""What an account may cost."""

from typing import Any

from components.security.budget import AwsBudget
from preview.plan import Plan

from ..support import one, planned, remedies
from .examples.registry import BUDGET

MONEY = "aws:budgets/budget:Budget"
MONITOR = "aws:costexplorer/anomalyMonitor:AnomalyMonitor"
SUBSCRIPTION = "aws:costexplorer/anomalySubscription:AnomalySubscription"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:costs"


def budget(**changes: Any) -> Plan:
    return planned(lambda opts: AwsBudget("costs", {**BUDGET, **changes}, opts))  # pyright: ignore[reportArgumentType]


def refused(**changes: Any) -> dict[str, str]:
    return remedies(lambda: AwsBudget("costs", {**BUDGET, **changes}))  # pyright: ignore[reportArgumentType]


def alerts(plan: Plan) -> list[tuple[str, float]]:
    """What is counted, and the percentage at which it is told."""
    return [(each["notificationType"], each["threshold"]) for each in one(plan, MONEY)["notifications"]]


def test_a_month_costs_so_much() -> None:
    assert (
        one(budget(monthly_usd=1234.5), MONEY).items()
        >= {
            "accountId": "123456789012",
            "budgetType": "COST",
            "limitAmount": "1234.50",
            "limitUnit": "USD",
            "timeUnit": "MONTHLY",
        }.items()
    )


def test_receivers_are_told_before_it_is_spent() -> None:
    assert alerts(budget()) == [("ACTUAL", 50), ("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)]
    for notification in one(budget(), MONEY)["notifications"]:
        assert notification["subscriberEmailAddresses"] == ["costs@shop.example"]
        assert notification["comparisonOperator"] == "GREATER_THAN"
        assert notification["thresholdType"] == "PERCENTAGE"
        assert "subscriberSnsTopicArns" not in notification


def test_the_forecast_is_told_whatever_the_thresholds() -> None:
    assert alerts(budget(thresholds=[90])) == [("ACTUAL", 90), ("FORECASTED", 100)]


def test_a_topic_is_told_too() -> None:
    for notification in one(budget(topic_arn=TOPIC), MONEY)["notifications"]:
        assert notification["subscriberSnsTopicArns"] == [TOPIC]
        assert notification["subscriberEmailAddresses"] == ["costs@shop.example"]


def test_sudden_rises_are_told() -> None:
    plan = budget()
    assert one(plan, MONITOR) == {"monitorType": "DIMENSIONAL", "monitorDimension": "SERVICE"}
    subscription = one(plan, SUBSCRIPTION)
    assert subscription["monitorArnLists"] == ["arn:aws:mock:region:123456789012:costs-services"]
    assert subscription["subscribers"] == [{"type": "EMAIL", "address": "costs@shop.example"}]
    assert subscription["frequency"] == "DAILY"
    dimension = subscription["thresholdExpression"]["dimension"]
    assert dimension["values"] == ["100.00"]


def test_what_is_a_sudden_rise_is_the_callers() -> None:
    dimension = one(budget(anomaly_usd=20), SUBSCRIPTION)["thresholdExpression"]["dimension"]
    assert dimension["values"] == ["20.00"]


def test_the_account_keeps_the_monitor_that_it_has() -> None:
    plan = budget(anomaly_monitor_arn="arn:aws:ce::123456789012:anomalymonitor/it")
    assert plan.of_type(MONITOR) == []
    assert one(plan, SUBSCRIPTION)["monitorArnLists"] == ["arn:aws:ce::123456789012:anomalymonitor/it"]


def test_sudden_rises_are_told_by_choice() -> None:
    assert budget(anomalies=False).of_type(MONITOR, SUBSCRIPTION) == []


def test_a_budget_that_tells_nobody_is_refused() -> None:
    assert refused(receivers=[]) == {"receivers": "name 1 to 10 e-mail addresses, or nobody is told"}


def test_bad_args_are_refused_together() -> None:
    assert refused(
        monthly_usd=0, receivers=["costs", "a@b.example", "a@b.example"], thresholds=[0, 50, 50], anomaly_usd=-1
    ) == {
        "monthly_usd": "give more than 0 US dollars",
        "receivers[0]": "give an e-mail address, for example costs@example.com",
        "receivers[2]": "is listed twice; leave one out",
        "thresholds[0]": "give 1 to 1000 percent",
        "thresholds[2]": "is listed twice; leave one out",
        "anomaly_usd": "give 0 US dollars or more",
    }
    assert "1 to 10 e-mail" in refused(receivers=[f"a{i}@b.example" for i in range(11)])["receivers"]
    assert "1 to 9 percentages" in refused(thresholds=list(range(1, 11)))["thresholds"]
    assert "or leave it out" in refused(thresholds=[])["thresholds"]
