"""Tasks of ECS."""

from .demands import absent, given, matching, never, true
from .images import pinned
from .rule import Rule

TASK = "aws:ecs/taskDefinition:TaskDefinition"

_CONTAINERS = "containerDefinitions[*]"


def _is_host(value: object) -> bool:
    return value == "host"


RULES = (
    Rule(
        "task-read-only-root",
        "A container of a task cannot write to its image: what it writes goes to volumes.",
        (TASK,),
        ("CKV_AWS_336",),
        demands={f"{_CONTAINERS}.readonlyRootFilesystem": true()},
    ),
    Rule(
        "task-unprivileged",
        "A container of a task runs as somebody else than root, without privileges, and apart from its host.",
        (TASK,),
        ("CKV_AWS_334", "CKV_AWS_335"),
        demands={
            f"{_CONTAINERS}.user": matching(r"(?!(?:root|0)(?::|$)).+", "name somebody else than root", "root", "0:0"),
            f"{_CONTAINERS}.privileged": absent(True),
            f"{_CONTAINERS}.linuxParameters.capabilities.add": absent(["SYS_PTRACE"]),
            "pidMode": never("not be the host's", _is_host, "host"),
            "ipcMode": never("not be the host's", _is_host, "host"),
            "networkMode": never("not be the host's", _is_host, "host"),
        },
    ),
    Rule(
        "task-images-pinned",
        "An image of a task has a digest, or a tag that says more than `latest`.",
        (TASK,),
        demands={f"{_CONTAINERS}.image": pinned()},
    ),
    Rule(
        "task-resources",
        "A task says how much it may take at most.",
        (TASK,),
        demands={"cpu": given(), "memory": given()},
    ),
    Rule(
        "task-logs",
        "A container of a task sends its logs somewhere.",
        (TASK,),
        demands={f"{_CONTAINERS}.logConfiguration.logDriver": given()},
    ),
)
