"""Brokers on Pub/Sub."""

import re
from collections.abc import Iterator

from ..demands import at_least, equal, given, matching
from ..paths import SECRET, UNKNOWN
from ..regions import REGIONS
from ..rule import Link, Resource, Rule, Stack

TOPIC = "gcp:pubsub/topic:Topic"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
TOPIC_MEMBER = "gcp:pubsub/topicIAMMember:TopicIAMMember"
SUBSCRIPTION_MEMBER = "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember"

_DEAD_LETTERS = "deadLetterPolicy"
_PUBLISHER = "roles/pubsub.publisher"
_SUBSCRIBER = "roles/pubsub.subscriber"
_AGENT = r"serviceAccount:service-\d+@gcp-sa-pubsub\.iam\.gserviceaccount\.com"


def _holds_dead_letters(subscription: Resource, stack: Stack) -> bool:
    """Whether its topic is where another subscription sends what could not be handled."""
    topics = stack.pointed(subscription, TOPIC, "topic")
    return any(stack.pointing(topic, SUBSCRIPTION, _DEAD_LETTERS) for topic in topics)


def _is_consumed(subscription: Resource, stack: Stack) -> bool:
    return not _holds_dead_letters(subscription, stack)


def _is_to_pubsub(member: Resource) -> bool:
    """Whether a grant is to Pub/Sub's own account, and not to a service."""
    known = member.inputs.get("member")
    return known in (UNKNOWN, SECRET) or bool(re.fullmatch(_AGENT, str(known)))


def _loses_none(subscription: Resource, stack: Stack) -> Iterator[str]:
    for topic in stack.pointed(subscription, TOPIC, _DEAD_LETTERS):
        if not stack.pointing(topic, SUBSCRIPTION, "topic"):
            yield f"no subscription holds what comes to {topic.name}"


def _sends_them(subscription: Resource, stack: Stack) -> Iterator[str]:
    for topic in stack.pointed(subscription, TOPIC, _DEAD_LETTERS):
        grants = filter(_is_to_pubsub, stack.pointing(topic, TOPIC_MEMBER, "topic"))
        if not any(grant.inputs.get("role") in (_PUBLISHER, UNKNOWN, SECRET) for grant in grants):
            yield f"Pub/Sub may not publish to {topic.name}"


RULES = (
    Rule(
        "pubsub-encrypted",
        "A topic's messages are encrypted with a key of ours.",
        (TOPIC,),
        ("CKV_GCP_83",),
        demands={"kmsKeyName": given()},
    ),
    Rule(
        "pubsub-stays-in-region",
        "A topic names the regions in which its messages are kept: else they are kept near whoever publishes.",
        (TOPIC,),
        demands={
            "messageStoragePolicy.allowedPersistenceRegions": given(),
            "messageStoragePolicy.allowedPersistenceRegions[*]": matching(
                "|".join(REGIONS), "be a region where data may stand", "us-central1"
            ),
        },
    ),
    Rule(
        "pubsub-dead-letters",
        "A subscription sends what nobody could handle to a topic that another subscription holds: else it comes back "
        "for ever.",
        (SUBSCRIPTION,),
        demands={
            f"{_DEAD_LETTERS}.deadLetterTopic": given(),
            f"{_DEAD_LETTERS}.maxDeliveryAttempts": at_least(5),
        },
        links=(Link("a topic of this stack for its dead letters", TOPIC, _DEAD_LETTERS, outward=True),),
        check=_loses_none,
        when=_is_consumed,
    ),
    Rule(
        "pubsub-dead-letter-grants",
        "Pub/Sub's own account may publish a subscription's dead letters and acknowledge them where they came from: "
        "else they stay, and nothing says so.",
        (SUBSCRIPTION,),
        links=(
            Link(
                "a grant to Pub/Sub to acknowledge dead letters",
                SUBSCRIPTION_MEMBER,
                "subscription",
                {"role": equal(_SUBSCRIBER, breaks=["roles/pubsub.viewer"])},
                only=_is_to_pubsub,
            ),
        ),
        check=_sends_them,
        when=_is_consumed,
    ),
    Rule(
        "pubsub-dead-letters-kept",
        "Dead letters are kept for 31 days, as long as Pub/Sub keeps anything.",
        (SUBSCRIPTION,),
        demands={"messageRetentionDuration": equal("2678400s", breaks=["604800s"])},
        when=_holds_dead_letters,
        looks_around=True,
    ),
    Rule(
        "pubsub-never-expires",
        "A subscription never expires: Pub/Sub would delete it, with its messages, after 31 days without a consumer.",
        (SUBSCRIPTION,),
        demands={"expirationPolicy.ttl": matching("", "be empty, which is never", "2678400s")},
    ),
    Rule(
        "pubsub-retry",
        "A subscription waits before it delivers a message again, and longer each time.",
        (SUBSCRIPTION,),
        demands={"retryPolicy.minimumBackoff": given(), "retryPolicy.maximumBackoff": given()},
    ),
)
