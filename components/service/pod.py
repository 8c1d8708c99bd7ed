"""Pods as the `restricted` Pod Security Standard admits them, and a little stricter.

What is made here are plain values, as the SDK takes them, so that whatever runs pods can use them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi

from ..problems import Problem
from .quantities import cpu, cpu_problem, cpu_text, memory, memory_problem

USER = 65532
"""Who a container runs as: nobody's id in images without a distribution."""
_TMP = "tmp"
_TAG, _DIGEST = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", r"sha256:[0-9a-f]{64}"
_REGISTRY = r"(localhost|(?=[^/]*[.:])[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)(:\d{1,5})?"
_FOLDER = r"[a-z0-9]+((\.|__?|-+)[a-z0-9]+)*"
_IMAGE = rf"({_REGISTRY}/)?{_FOLDER}(/{_FOLDER})*(?P<tag>:{_TAG})?(?P<digest>@{_DIGEST})?"
"""As registries read it: the path in small letters. What stands before the path is a registry if it has a dot or a
port."""
_BURST = 4
_LEAST_MEMORY = "6Mi"
"""What Docker takes as a limit at least: less does not do for `runc`, which starts the container within it."""


class ContainerResources(TypedDict):
    """What a container needs, and how much it may take at most, as Kubernetes writes quantities."""

    cpu: str
    """CPUs that it is sure of, for example `50m`, a twentieth of one."""
    memory: str
    """Memory that it is sure of, for example `64Mi`."""
    cpu_limit: NotRequired[str]
    """CPUs that it may take at most. Default: four times `cpu` (CKV_K8S_11)."""
    memory_limit: NotRequired[str]
    """Memory at which it is killed. Default: `memory`, so that a full node never takes any away (CKV_K8S_13)."""


def resource_problems(resources: ContainerResources, path: str) -> Iterator[Problem]:
    """What is wrong with a container's resources, which stand at the path."""
    given: Mapping[str, str] = resources  # pyright: ignore[reportAssignmentType]
    wrong = {
        key: remedy
        for key, problem in (
            ("cpu", cpu_problem),
            ("memory", memory_problem),
            ("cpu_limit", cpu_problem),
            ("memory_limit", memory_problem),
        )
        if key in given and (remedy := problem(given[key]))
    }
    most = "memory_limit" if "memory_limit" in given else "memory"
    if most not in wrong and memory(given[most]) < memory(_LEAST_MEMORY):
        wrong[most] = f"no container starts with so little; give {_LEAST_MEMORY} or more"
    for key, remedy in wrong.items():
        yield Problem(f"{path}.{key}", given[key], remedy)
    for key, read in (("cpu", cpu), ("memory", memory)):
        limit = f"{key}_limit"
        if limit in resources and not {key, limit} & set(wrong) and read(resources[limit]) < read(resources[key]):
            yield Problem(
                f"{path}.{limit}", resources[limit], f"give `{key}`, which is {resources[key]}, or more: it is the most"
            )


def container(
    name: str,
    image: pulumi.Input[str],
    resources: ContainerResources,
    *,
    command: Sequence[str] = (),
    arguments: Sequence[pulumi.Input[str]] = (),
    variables: Mapping[str, pulumi.Input[str]] | None = None,
    env: Sequence[Mapping[str, Any]] = (),
    config_maps: Sequence[pulumi.Input[str]] = (),
    ports: Mapping[str, int] | None = None,
    mounts: Mapping[str, str] | None = None,
    written_mounts: Mapping[str, str] | None = None,
    **further: Any,
) -> dict[str, Any]:
    """A container that is nobody, writes to /tmp and to its volumes alone, and gains no privilege.

    Its environment is all of `config_maps`, and over these `variables` and the entries `env`, such as those that
    `secret_entries` gives. `mounts` are paths by the volumes' names, read-only; `written_mounts` are those that it may
    write to. `ports` are TCP ports by their names. `further` are other properties of a container: probes, `lifecycle`,
    `restart_policy`.
    """
    environment = [*({"name": variable, "value": value} for variable, value in (variables or {}).items()), *env]
    read_only = [{"name": volume, "mount_path": path, "read_only": True} for volume, path in (mounts or {}).items()]
    written = [{"name": volume, "mount_path": path} for volume, path in (written_mounts or {}).items()]
    return {
        "name": name,
        "image": image,
        "image_pull_policy": _pull_policy(image),
        **({"command": list(command)} if command else {}),
        **({"args": list(arguments)} if arguments else {}),
        **({"env_from": [{"config_map_ref": {"name": each}} for each in config_maps]} if config_maps else {}),
        # By name: another order would be another pod.
        **({"env": sorted(environment, key=lambda entry: entry["name"])} if environment else {}),
        **(
            {"ports": [{"name": key, "container_port": port, "protocol": "TCP"} for key, port in ports.items()]}
            if ports
            else {}
        ),
        "resources": _resources(resources),
        "security_context": {
            "allow_privilege_escalation": False,
            "read_only_root_filesystem": True,
            "run_as_non_root": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "termination_message_policy": "FallbackToLogsOnError",
        "volume_mounts": [{"name": _TMP, "mount_path": "/tmp"}, *read_only, *written],  # noqa: S108
        **further,
    }


def pod_spec(
    containers: Sequence[Mapping[str, Any]],
    *,
    service_account: pulumi.Input[str],
    init_containers: Sequence[Mapping[str, Any]] = (),
    pull_secrets: Sequence[pulumi.Input[str]] = (),
    priority_class: pulumi.Input[str] | None = None,
    volumes: Mapping[str, Mapping[str, Any]] | None = None,
    grace_seconds: int = 30,
    spread_labels: Mapping[str, pulumi.Input[str]] | None = None,
    restart_policy: str | None = None,
    user: int = USER,
    token: bool = False,
    tmp_size: str = "64Mi",
) -> dict[str, Any]:
    """A pod of containers that `container` made, which share /tmp.

    `volumes` are the volumes' sources by name. With `spread_labels`, by which the pods are found, they spread over
    zones and nodes as far as there is room. Without `token` it cannot speak to Kubernetes, but a cloud's identity of
    its service account it has all the same.
    """
    mounted = [{"name": name, **source} for name, source in (volumes or {}).items()]
    return {
        "service_account_name": service_account,
        "automount_service_account_token": token,
        # Else each Service of the namespace would add variables, one of which may be an application's own.
        "enable_service_links": False,
        "security_context": {
            "run_as_non_root": True,
            "run_as_user": user,
            "run_as_group": user,
            "fs_group": user,
            # A volume whose files are right already is not walked through at each start.
            "fs_group_change_policy": "OnRootMismatch",
            "seccomp_profile": {"type": "RuntimeDefault"},
        },
        "termination_grace_period_seconds": grace_seconds,
        **({"restart_policy": restart_policy} if restart_policy else {}),
        **({"priority_class_name": priority_class} if priority_class is not None else {}),
        **({"image_pull_secrets": [{"name": each} for each in pull_secrets]} if pull_secrets else {}),
        **(_spread(spread_labels) if spread_labels else {}),
        **({"init_containers": list(init_containers)} if init_containers else {}),
        "containers": list(containers),
        # A pod that fills it is evicted, before the node's disk is full.
        "volumes": [{"name": _TMP, "empty_dir": {"size_limit": tmp_size}}, *mounted],
    }


def http_probe(path: str, port: int | str, **timing: int) -> dict[str, Any]:
    """A probe that asks for a path at a port, given by number or by name."""
    return {"http_get": {"path": path, "port": port, "scheme": "HTTP"}, **timing}


def tcp_probe(port: int | str, **timing: int) -> dict[str, Any]:
    """A probe that connects to a port, given by number or by name."""
    return {"tcp_socket": {"port": port}, **timing}


def image_problem(image: str) -> str | None:
    """What to write instead of an image that may be another one tomorrow, as far as its name can say."""
    found = re.fullmatch(_IMAGE, image)
    if found and (found["digest"] or found["tag"] not in (None, ":latest")):
        return None
    return "give registry, path in small letters and a tag other than latest, or a digest: registry.example/app:1.2.3"


def image_tag(image: str) -> str:
    """The tag of an image; empty where it has none."""
    found = re.fullmatch(_IMAGE, image)
    return (found["tag"] or "").removeprefix(":") if found else ""


def command_problem(words: Sequence[str]) -> str | None:
    """What to write instead of a command that runs nothing."""
    return None if words and words[0].strip() else "say what is run, word by word"


def version_problem(version: str) -> str | None:
    """What to write instead of the version of an image that is none, or may be another one tomorrow."""
    if re.fullmatch(rf"{_TAG}|{_DIGEST}", version) and version != "latest":
        return None
    return "give a tag other than latest, like v1.2.3, of 128 characters at most, or a digest, sha256:<64 digits>"


def _pull_policy(image: pulumi.Input[str]) -> pulumi.Input[str]:
    """An image of a digest is the same one wherever it was pulled before. A tag may have been moved, and then all pods
    that start from now on are to have the same image, whichever node they are on."""

    def policy(known: str) -> str:
        return "IfNotPresent" if "@" in known else "Always"

    return policy(image) if isinstance(image, str) else pulumi.Output.from_input(image).apply(policy)


def _resources(resources: ContainerResources) -> dict[str, Any]:
    limit = resources.get("cpu_limit") or cpu_text(cpu(resources["cpu"]) * _BURST)
    return {
        "requests": {"cpu": resources["cpu"], "memory": resources["memory"]},
        "limits": {"cpu": limit, "memory": resources.get("memory_limit", resources["memory"])},
    }


def _spread(labels: Mapping[str, pulumi.Input[str]]) -> dict[str, Any]:
    selector = {"match_labels": dict(labels)}
    return {
        "topology_spread_constraints": [
            {
                "max_skew": 1,
                "topology_key": key,
                "when_unsatisfiable": "ScheduleAnyway",
                "label_selector": selector,
                # Those that a rollout is about to remove do not count.
                "match_label_keys": ["pod-template-hash"],
            }
            for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
        ],
        "affinity": {
            "pod_anti_affinity": {
                "preferred_during_scheduling_ignored_during_execution": [
                    {
                        "weight": 100,
                        "pod_affinity_term": {"label_selector": selector, "topology_key": "kubernetes.io/hostname"},
                    }
                ]
            }
        },
    }
