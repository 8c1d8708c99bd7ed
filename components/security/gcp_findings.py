"""What Security Command Center finds in a project of Google Cloud, and who hears of it."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from ..broker.pubsub import PubSubBroker
from ..component import Component, checked, checked_name
from ..observability.cloudmonitoring import Channels, CloudMonitoringAlerts
from ..observability.conditions import CRITICAL, GcpCondition
from ..problems import InputError, Problem, one_of
from .google import GcpScope, scope_problem

SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW")
_LONGEST_NAME = 100
_KEPT_DAYS = 31  # the most that Pub/Sub keeps a message
_MOST_DELIVERIES = 100
_WAITING = (
    "A new finding of Security Command Center waits to be read. Look at it in the console, or pull it from the "
    "subscription `{name}-findings`, or from `{name}-findings-dead`; acknowledge it there once somebody "
    "works on it, and this ends."
)


class GcpFindingNotificationsArgs(TypedDict):
    """Which findings are told, and to whom."""

    scope: GcpScope
    """The project, and the region in which findings are kept until somebody reads them."""
    key_name: pulumi.Input[str]
    """Id of the KMS key that encrypts them there, a key of the region. Pub/Sub's own account must be allowed to use
    it."""
    channels: Channels
    """Where alerts go: to what is `critical`."""
    severities: NotRequired[list[str]]
    """Severities that are told, of CRITICAL, HIGH, MEDIUM and LOW. Default: CRITICAL and HIGH."""
    protect: NotRequired[bool]
    """Whether Pulumi and Google's provider refuse to delete the findings that wait. Default: yes."""


def _severities(given: list[str]) -> str | None:
    for each in given:
        if each not in SEVERITIES:
            return one_of(SEVERITIES, each)
    return None if given else "name one or more: otherwise nothing is told"


class GcpFindingNotifications(Component):
    """New findings of Security Command Center that are active and severe, kept in an encrypted queue until somebody
    reads them, and an alert as long as one waits.

    Security Command Center must be active for the project or its organization. It publishes as an account of its own,
    which is made here and may publish to the one topic before it first tries to.

    Raises `InputError` for bad args and for a name that no topic can have.
    """

    topic: pulumi.Output[str]
    """Id of the topic to which findings are published. Known once they are."""
    subscription: pulumi.Output[str]
    """Id of the subscription in which findings wait."""
    policy_ids: pulumi.Output[dict[str, str]]
    """Ids of the alert policies, by what they are about."""

    def __init__(self, name: str, args: GcpFindingNotificationsArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GcpFindingNotifications {name}"
        rules = {"scope": scope_problem, "severities": _severities}
        args = checked(GcpFindingNotificationsArgs, args, subject, rules)
        remedy = "use letters, digits, hyphens and underscores, a letter first and not goog"
        checked_name(name, subject, _LONGEST_NAME, r"(?!goog)[A-Za-z][A-Za-z0-9_-]*", remedy)
        severities = args.get("severities", ["CRITICAL", "HIGH"])
        if len(set(severities)) < len(severities):
            raise InputError(subject, [Problem("severities", severities, "name each once")])
        super().__init__(name, opts)
        scope = args["scope"]
        queue = PubSubBroker(
            name,
            {
                "scope": scope,
                "key_name": args["key_name"],
                "exchanges": {"found": "fanout"},
                "queues": {"findings": {"exchange": "found", "keep_days": _KEPT_DAYS, "deliveries": _MOST_DELIVERIES}},
                "replay_days": 0,
                "protect": args.get("protect", True),
            },
            self._child(),
        )
        topic = queue.topics.apply(lambda topics: topics["found"])
        account = gcp.securitycenter.NotificationServiceAccount(name, project=scope["project"], opts=self._child())
        publisher = gcp.pubsub.TopicIAMMember(
            f"{name}-publisher",
            project=scope["project"],
            topic=topic,
            role="roles/pubsub.publisher",
            member=account.member,
            opts=self._child(),
        )
        listed = " OR ".join(f'severity="{each}"' for each in severities)
        config = gcp.securitycenter.V2ProjectNotificationConfig(
            name,
            project=scope["project"],
            location="global",
            config_id=name,
            description="New findings that are severe",
            pubsub_topic=topic,
            streaming_config={"filter": f'state="ACTIVE" AND ({listed})'},
            # It is refused where Security Command Center may not publish; no value carries that.
            opts=self._child(depends_on=[publisher], delete_before_replace=True),
        )
        self.subscription = queue.subscriptions.apply(lambda subscriptions: subscriptions["findings"])
        alerts = CloudMonitoringAlerts(
            f"{name}-waiting",
            {
                "scope": scope,
                "channels": args["channels"],
                "conditions": {
                    "findings-waiting": _waiting(name, self.subscription),
                    # Who looks at one a hundred times and does not acknowledge it has not read it.
                    "findings-unread": _waiting(name, queue.dead_letters.apply(lambda held: held["findings"])),
                },
            },
            self._child(),
        )
        self.topic = pulumi.Output.all(topic, config.id).apply(lambda known: str(known[0]))
        self.policy_ids = alerts.policy_ids
        self._register()


def _waiting(name: str, subscription: pulumi.Output[str]) -> GcpCondition:
    return {
        "severity": CRITICAL,
        "reason": _WAITING.format(name=name),
        "metric": "pubsub.googleapis.com/subscription/num_undelivered_messages",
        "resource": "pubsub_subscription",
        "labels": {"resource.labels.subscription_id": subscription.apply(lambda path: path.rpartition("/")[2])},
        "aligner": "ALIGN_MAX",
        "comparison": ">",
        "threshold": 0.0,
    }
