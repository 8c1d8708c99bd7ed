"""What a RabbitMQ broker holds, as data: exchanges and queues in RabbitMQ's own format of definitions.

`rabbitmqctl import_definitions` and the management API take it. An import adds what is missing and leaves what exists
as it is: a queue that is there keeps its arguments, whatever the definitions say.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NotRequired, TypedDict

from ..problems import InputError, Problem, one_of

DEAD_LETTERS = "dead-letters"
"""Name of the exchange that takes the messages which no consumer could handle."""
KINDS = ("direct", "fanout", "headers", "topic")
_NAME = r"(?!amq\.)[\w.:-]{1,250}"
_NAME_REMEDY = "give letters, digits and . _ : -, 250 or fewer, and not amq. first"
_DAY = 24 * 60 * 60 * 1000
_LIMITS = {"deliveries": (1000, "deliveries"), "keep_days": (365, "days")}


class QueueDeclaration(TypedDict):
    """A queue and what comes into it."""

    exchange: str
    """Name of the exchange that fills it."""
    routing_key: NotRequired[str]
    """The messages of the exchange that it takes; a direct exchange needs it. Default: `#`, which is all of them."""
    deliveries: NotRequired[int]
    """Deliveries of a message before it is a dead letter, 1 to 1000. Default: 5."""
    keep_days: NotRequired[int]
    """Days that a message may wait before it is a dead letter, 1 to 365. Default: for ever."""
    ordered: NotRequired[bool]
    """Whether one consumer at a time takes the messages, in their order. Default: no."""


def definitions(
    virtual_host: str, exchanges: Mapping[str, str], queues: Mapping[str, QueueDeclaration]
) -> dict[str, Any]:
    """The definitions of a virtual host with these exchanges, each a name and its kind, and these queues by name. Users
    and permissions are left out.

    Each queue is a quorum queue, and has beside it `<queue>.dead`, where its dead letters stay until somebody takes
    them. A message leaves the queue only once its dead letters have it.

    Raises `InputError` for names that RabbitMQ or these definitions reserve, unknown kinds and exchanges, a queue at a
    direct exchange without a key of its own, and numbers out of range.
    """
    if problems := list(_problems(exchanges, queues)):
        raise InputError(f"topology of {virtual_host}", problems)

    def here(**content: Any) -> dict[str, Any]:
        return {"vhost": virtual_host, **content}

    def bound(exchange: str, queue: str, routing_key: str) -> dict[str, Any]:
        ends = {"source": exchange, "destination": queue, "destination_type": "queue"}
        return here(**ends, routing_key=routing_key, arguments={})

    lasting = {"durable": True, "auto_delete": False}
    exchange = {**lasting, "arguments": {}}
    return {
        "vhosts": [{"name": virtual_host}],
        "exchanges": [
            *(here(name=name, type=kind, internal=False, **exchange) for name, kind in sorted(exchanges.items())),
            # No client can publish to an internal exchange: only queues send it messages.
            here(name=DEAD_LETTERS, type="direct", internal=True, **exchange),
        ],
        "queues": [
            here(name=name, arguments=arguments, **lasting)
            for queue, declared in sorted(queues.items())
            for name, arguments in (
                (queue, _arguments(queue, declared)),
                (dead_letters(queue), {"x-queue-type": "quorum"}),
            )
        ],
        "bindings": [
            each
            for queue, declared in sorted(queues.items())
            for each in (
                bound(declared["exchange"], queue, declared.get("routing_key", "#")),
                bound(DEAD_LETTERS, dead_letters(queue), queue),
            )
        ],
    }


def _arguments(queue: str, declared: QueueDeclaration) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "x-queue-type": "quorum",
        # RabbitMQ counts how often a message comes back, which is one less than how often it is delivered.
        "x-delivery-limit": declared.get("deliveries", 5) - 1,
        "x-dead-letter-exchange": DEAD_LETTERS,
        "x-dead-letter-routing-key": queue,
        # Without it a dead letter is lost when its queue is away. RabbitMQ falls back silently with another overflow.
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
    if "keep_days" in declared:
        arguments["x-message-ttl"] = declared["keep_days"] * _DAY
    if declared.get("ordered", False):
        arguments["x-single-active-consumer"] = True
    return arguments


def dead_letters(queue: str) -> str:
    """Name of the queue that holds the dead letters of another one."""
    return f"{queue}.dead"


def _problems(exchanges: Mapping[str, str], queues: Mapping[str, QueueDeclaration]) -> Iterator[Problem]:
    for name, kind in exchanges.items():
        path = f"exchanges.{name}"
        if not re.fullmatch(_NAME, name):
            yield Problem(path, name, _NAME_REMEDY)
        elif name == DEAD_LETTERS:
            yield Problem(path, name, "the dead letters have this name; give another one")
        if kind not in KINDS:
            yield Problem(path, kind, one_of(KINDS, kind))
    dead = {dead_letters(queue): queue for queue in queues}
    for name, declared in queues.items():
        path = f"queues.{name}"
        if not re.fullmatch(_NAME, name):
            yield Problem(path, name, _NAME_REMEDY)
        elif name in dead:
            yield Problem(path, name, f"the dead letters of {dead[name]} have this name; give another one")
        yield from _queue_problems(path, declared, exchanges)


def _queue_problems(path: str, declared: QueueDeclaration, exchanges: Mapping[str, str]) -> Iterator[Problem]:
    exchange, routing_key = declared["exchange"], declared.get("routing_key", "#")
    if exchange not in exchanges:
        yield Problem(f"{path}.exchange", exchange, one_of(exchanges, exchange))
    elif exchanges[exchange] == "direct" and routing_key == "#":
        remedy = "a direct exchange has no wildcards; name the key of the messages"
        yield Problem(f"{path}.routing_key", routing_key, remedy)
    for field, (most, unit) in _LIMITS.items():
        if not 1 <= declared.get(field, 1) <= most:
            yield Problem(f"{path}.{field}", declared[field], f"give 1 to {most} {unit}")
