"""A service in a Kubernetes cluster: its pods, and all that is theirs alone."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from ..component import Component, at_least, between, checked, known_after, matching
from ..platform.names import (
    WORD,
    WORD_REMEDY,
    annotations_problem,
    label_problem,
    service_problem,
    subdomain_problem,
)
from ..platform.traffic import Peer, network_policy, peer_problems, pods_of
from ..problems import MISSING, Problem
from .pod import (
    USER,
    ContainerResources,
    command_problem,
    container,
    http_probe,
    image_problem,
    pod_spec,
    resource_problems,
    tcp_probe,
)
from .quantities import memory_problem
from .rollout import Rollout, patience, strategy
from .route import ServiceRoute, gateway_problems, route, route_problems
from .scaling import PodScaling, autoscaler, scaling_problems
from .secrets import ServiceSecret, disclosed, environment_problems, secret_problems, secret_variables

HTTP, METRICS = "http", "metrics"
"""What the ports of a service are called, on its pods and on its Kubernetes Service."""
_PATH = r"/[^\s#]*"
_GATEWAY = "gateway of its route"
"""Who calls it beside those that are named: a purpose has no spaces."""
_DRAIN_SECONDS = 5
_PROBE_SECONDS = 5


class KubernetesServiceArgs(TypedDict):
    """What runs, how much of it, with which configuration, and who reaches whom."""

    service: str
    """Name of the service and of all its objects, a DNS label. Unique in the namespace."""
    system: str
    """Name of the system that it is a part of, a DNS label."""
    namespace: pulumi.Input[str]
    """Namespace that it runs in. Its default must be to allow no traffic."""
    image: pulumi.Input[str]
    """Image, with a tag other than `latest`, or with a digest (CKV_K8S_14)."""
    version: NotRequired[str]
    """Version that the labels of its pods name. Default: none."""
    command: NotRequired[list[str]]
    """What is run instead of the image's own entry point. Default: that."""
    arguments: NotRequired[list[str]]
    """Arguments of what is run. Default: the image's own."""
    port: NotRequired[int]
    """TCP port at which it answers HTTP requests. Default: none; then it has no Kubernetes Service and no route, and
    there must be a `metrics_port`."""
    metrics_port: NotRequired[int]
    """TCP port at which it gives its metrics, called `metrics`. Default: none."""
    resources: ContainerResources
    """What each pod needs, and how much it may take at most."""
    replicas: NotRequired[int]
    """Pods, unless it is `scaling`. Default: 2."""
    scaling: NotRequired[PodScaling]
    """How the number of pods follows the load; metrics-server must be there. It begins with the fewest, or with as many
    as there are, and from then on nobody but the autoscaler changes their number. Default: it does not."""
    live_path: NotRequired[str]
    """Path that is asked whether a pod is to be restarted, at `port` or else at `metrics_port` (CKV_K8S_8). Default:
    none; it is, when nothing listens there."""
    ready_path: NotRequired[str]
    """Path that is asked, at the same port, whether a pod takes requests (CKV_K8S_9). Default: none; it does, when
    something listens there."""
    startup_seconds: NotRequired[int]
    """Seconds that a pod has to start, 5 to 540. Default: 60."""
    environment: NotRequired[dict[str, pulumi.Input[str]]]
    """Environment variables, which are no secrets. Another value replaces the pods. Default: none."""
    secrets: NotRequired[dict[str, ServiceSecret]]
    """Secrets that become environment variables, by purpose. No file has them: it would follow a new value by itself,
    but few programs read one again. Reloader replaces the pods instead, where it is installed. Default: none."""
    pull_secret: NotRequired[pulumi.Input[str]]
    """Name of the Secret in the namespace that the image is pulled with. Default: none; the nodes may pull it."""
    service_account_annotations: NotRequired[dict[str, pulumi.Input[str]]]
    """Annotations by which a cloud gives the service an identity. Default: none."""
    reads_configuration: NotRequired[bool]
    """Whether it reads its ConfigMap through the API of Kubernetes, as its role lets it. It must then reach that API.
    Default: no, it gets no token."""
    reaches: NotRequired[dict[str, Peer]]
    """Whom it reaches, by purpose; it resolves names always. Default: nobody."""
    reached_by: NotRequired[dict[str, Peer]]
    """Who reaches it, by purpose, beside the gateway of its route. Default: nobody."""
    route: NotRequired[ServiceRoute]
    """How it is reached from outside. Default: it is not."""
    priority_class: NotRequired[pulumi.Input[str]]
    """Name of the PriorityClass of its pods. Default: the cluster's."""
    grace_seconds: NotRequired[int]
    """Seconds that a pod has to finish what it does, 10 to 3600. In the first 5, which others need to hear of it, it
    still takes requests. Default: 30."""
    disruption_budget: NotRequired[bool]
    """Whether maintenance takes one pod at a time. Default: yes, unless there may be only one."""
    rollout: NotRequired[Rollout]
    """How a new version takes over. Default: rolling."""
    user: NotRequired[int]
    """Id of the user and group that its processes run as; never root's. Default: 65532."""
    tmp_size: NotRequired[str]
    """What it may write to /tmp, its only writable place, before it is evicted. Default: `64Mi`."""


class KubernetesService(Component):
    """A service that runs in pods of the `restricted` Pod Security Standard: as nobody, with a read-only root, with
    requests and limits, probes, and a number of pods, spread over zones and nodes, which is never below the one asked
    for while a new version takes over or nodes are maintained.

    It has a service account with a role for its own configuration, a network policy that allows what is named here, a
    Kubernetes Service within the cluster and, with a route, a way in through the gateway, with limits. Its objects are
    called as the service is. Secrets are read by reference, and never stand here.

    Raises `InputError` for bad args.
    """

    service_name: pulumi.Output[str]
    """Name of its Kubernetes Service. Empty where it has no port."""
    url: pulumi.Output[str]
    """Where it is reached: `https://<host>`, once the gateway has taken the route; without a host
    `http://<service>.<namespace>.svc:<port>`, within the cluster. Empty where it has no port."""
    deployment_name: pulumi.Output[str]
    """Name of its Deployment."""
    configuration: pulumi.Output[str]
    """Name of its ConfigMap."""
    ready: pulumi.Output[str]
    """Name of the service, once all its pods run this version."""
    pods: dict[str, str]
    """Labels by which its pods are found: who is let in to them, or to whom they are let in."""

    def __init__(self, name: str, args: KubernetesServiceArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"KubernetesService {name}"
        args = checked(KubernetesServiceArgs, args, subject, _RULES, _problems)
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        self._subject = subject
        service = args["service"]
        self.pods = pods_of(service, args["system"])
        labels = {**self.pods, "app.kubernetes.io/managed-by": "plinth"}
        self._metadata: Any = {"name": service, "namespace": args["namespace"], "labels": labels}

        environment = {
            variable: disclosed(subject, f"environment.{variable}", value)
            for variable, value in args.get("environment", {}).items()
        }
        configuration = kubernetes.core.v1.ConfigMap(
            name, metadata=self._metadata, data=environment, opts=self._child()
        )
        account = kubernetes.core.v1.ServiceAccount(
            name,
            metadata=self._annotated(args.get("service_account_annotations", {})),
            automount_service_account_token=False,
            opts=self._child(),
        )
        allowed = [self._role(configuration, account), self._policy()]
        deployment = self._deployment(environment, configuration, account, allowed)
        if "scaling" in args:
            kubernetes.autoscaling.v2.HorizontalPodAutoscaler(
                name,
                metadata=self._metadata,
                spec=cast(Any, autoscaler(args["scaling"], deployment.metadata.name)),
                opts=self._child(),
            )
        if args.get("disruption_budget", True) and self._fewest > 1:
            kubernetes.policy.v1.PodDisruptionBudget(
                name,
                metadata=self._metadata,
                spec={
                    "max_unavailable": 1,
                    "selector": {"match_labels": self.pods},
                    # Otherwise pods that fail keep a node from being drained.
                    "unhealthy_pod_eviction_policy": "AlwaysAllow",
                },
                opts=self._child(),
            )

        self.deployment_name = _named(deployment)
        self.configuration = _named(configuration)
        self.ready = known_after(service, deployment.id)
        self.service_name = self.url = pulumi.Output.from_input("")
        if "port" in args:
            self.service_name = _named(self._service())
            self.url = self._url(args["port"])
        self._register()

    @property
    def _fewest(self) -> int:
        """Pods that are always to be there."""
        return self._args["scaling"]["fewest"] if "scaling" in self._args else self._args.get("replicas", 2)

    @property
    def _startup(self) -> int:
        return self._args.get("startup_seconds", 60)

    @property
    def _ports(self) -> dict[str, int]:
        """Its ports by their names."""
        named = {HTTP: self._args.get("port"), METRICS: self._args.get("metrics_port")}
        return {name: port for name, port in named.items() if port is not None}

    def _annotated(self, annotations: Mapping[str, pulumi.Input[str]], **further: Any) -> Any:
        return {**self._metadata, "annotations": annotations, **further}

    def _role(
        self, configuration: kubernetes.core.v1.ConfigMap, account: kubernetes.core.v1.ServiceAccount
    ) -> kubernetes.rbac.v1.RoleBinding:
        role = kubernetes.rbac.v1.Role(
            self._prefix,
            metadata=self._metadata,
            rules=[
                {
                    "api_groups": [""],
                    "resources": ["configmaps"],
                    "resource_names": [configuration.metadata.name],
                    "verbs": ["get", "watch"],
                }
            ],
            opts=self._child(),
        )
        return kubernetes.rbac.v1.RoleBinding(
            self._prefix,
            metadata=self._metadata,
            role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": role.metadata.name},
            subjects=[{"kind": "ServiceAccount", "name": account.metadata.name, "namespace": self._args["namespace"]}],
            opts=self._child(),
        )

    def _policy(self) -> kubernetes.networking.v1.NetworkPolicy:
        args = self._args
        callers = dict(args.get("reached_by", {}))
        if "route" in args and "port" in args:
            way_in = args["route"]
            callers[_GATEWAY] = Peer(
                ports=[args["port"]],
                pods=way_in["gateway_pods"],
                namespace=way_in["gateway_namespace"],
            )
        return network_policy(
            self._prefix,
            self._metadata,
            self.pods,
            args.get("reaches", {}),
            callers,
            self._child(),
            subject=self._subject,
        )

    def _deployment(
        self,
        environment: dict[str, pulumi.Input[str]],
        configuration: kubernetes.core.v1.ConfigMap,
        account: kubernetes.core.v1.ServiceAccount,
        allowed: list[pulumi.Resource],
    ) -> kubernetes.apps.v1.Deployment:
        args = self._args
        variables = secret_variables(
            self._prefix, args["service"], self._metadata, args.get("secrets", {}), self._child
        )
        annotations: dict[str, pulumi.Input[str]] = {
            # What somebody changed by hand, or an autoscaler that is gone, becomes again what stands here.
            "pulumi.com/patchForce": "true",
            "pulumi.com/timeoutSeconds": str(patience(self._startup)),
        }
        if variables:
            # Reloader replaces the pods when one of these has another value.
            secrets = [entry["value_from"]["secret_key_ref"]["name"] for entry in variables]
            annotations["secret.reloader.stakater.com/reload"] = pulumi.Output.all(*secrets).apply(
                lambda names: ",".join(sorted(set(names)))
            )
        labels = dict(self._metadata["labels"])
        if "version" in args:
            # Of what runs alone: all else stays as it is when a new version comes.
            labels["app.kubernetes.io/version"] = args["version"]
        return kubernetes.apps.v1.Deployment(
            self._prefix,
            metadata=self._annotated(annotations, labels=labels),
            spec=cast(
                Any,
                {
                    "replicas": self._fewest,
                    **strategy(args.get("rollout", Rollout.ROLLING), self._startup),
                    "selector": {"match_labels": self.pods},
                    "template": {
                        "metadata": {
                            "labels": labels,
                            # A pod reads its environment when it starts, so another one makes other pods.
                            "annotations": {"checksum/configuration": _checksum(environment)},
                        },
                        "spec": self._pod(configuration, account, variables),
                    },
                },
            ),
            opts=self._child(
                # The number is the autoscaler's: the first one is sent, and whatever it is afterwards, stays.
                ignore_changes=["spec.replicas"] if "scaling" in args else None,
                # No value carries these: pods have their rights and their ways out as long as they are there.
                depends_on=allowed,
            ),
        )

    def _pod(
        self,
        configuration: kubernetes.core.v1.ConfigMap,
        account: kubernetes.core.v1.ServiceAccount,
        variables: list[dict[str, Any]],
    ) -> dict[str, Any]:
        args = self._args
        runs = container(
            args["service"],
            args["image"],
            args["resources"],
            command=args.get("command", ()),
            arguments=args.get("arguments", ()),
            config_maps=[_named(configuration)],
            ports=self._ports,
            env=variables,
            startup_probe=self._probe(
                args.get("live_path"),
                period_seconds=_PROBE_SECONDS,
                failure_threshold=-(-self._startup // _PROBE_SECONDS),
            ),
            liveness_probe=self._probe(args.get("live_path"), period_seconds=10, failure_threshold=3),
            readiness_probe=self._probe(args.get("ready_path"), period_seconds=_PROBE_SECONDS, failure_threshold=2),
            # Requests come until everybody knows that the pod is leaving.
            lifecycle={"pre_stop": {"sleep": {"seconds": _DRAIN_SECONDS}}},
        )
        return pod_spec(
            [runs],
            service_account=_named(account),
            pull_secrets=[args["pull_secret"]] if "pull_secret" in args else [],
            priority_class=args.get("priority_class"),
            grace_seconds=args.get("grace_seconds", 30),
            spread_labels=self.pods,
            user=args.get("user", USER),
            token=args.get("reads_configuration", False),
            tmp_size=args.get("tmp_size", "64Mi"),
        )

    def _probe(self, path: str | None, **timing: int) -> dict[str, Any]:
        port = HTTP if "port" in self._args else METRICS
        return http_probe(path, port, timeout_seconds=3, **timing) if path else tcp_probe(port, **timing)

    def _service(self) -> kubernetes.core.v1.Service:
        return kubernetes.core.v1.Service(
            self._prefix,
            # It would wait for its pods, and so does the Deployment, which says more of what is wrong with them.
            metadata=self._annotated({"pulumi.com/skipAwait": "true"}),
            spec={
                "type": "ClusterIP",
                "selector": self.pods,
                "ports": [
                    {"name": name, "port": port, "target_port": name, "protocol": "TCP"}
                    for name, port in self._ports.items()
                ],
            },
            opts=self._child(),
        )

    def _url(self, port: int) -> pulumi.Output[str]:
        inside = pulumi.Output.concat("http://", self.service_name, ".", self._args["namespace"], f".svc:{port}")
        if "route" not in self._args:
            return inside
        taken = route(self._prefix, self._metadata, self._args["route"], self.service_name, port, self._child)
        host = self._args["route"]["host"]
        return taken.id.apply(lambda _: f"https://{host}") if host else inside


def _named(resource: Any) -> pulumi.Output[str]:
    return resource.metadata.name


def _checksum(environment: dict[str, pulumi.Input[str]]) -> pulumi.Output[str]:
    return pulumi.Output.all(**environment).apply(
        lambda known: hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()
    )


_PORT = between(1, 65535, "as a TCP port")
_RULES = {
    "service": service_problem,
    "system": service_problem,
    "namespace": label_problem,
    "image": image_problem,
    "version": matching(WORD, WORD_REMEDY.replace("give", "give what a label can say:", 1)),
    "command": command_problem,
    "port": _PORT,
    "metrics_port": _PORT,
    "replicas": at_least(1),
    "live_path": matching(_PATH, "give a path that begins with a /"),
    "ready_path": matching(_PATH, "give a path that begins with a /"),
    "pull_secret": subdomain_problem,
    "service_account_annotations": annotations_problem,
    "priority_class": subdomain_problem,
    "startup_seconds": between(5, 540, "seconds"),
    "grace_seconds": between(10, 3600, "seconds"),
    "user": between(1, 4294967294, "as an id; root is 0"),
    "tmp_size": memory_problem,
}


def service_problems(args: KubernetesServiceArgs) -> Iterator[Problem]:
    """What a service would refuse of those args that are plain, for whoever wants to know before there is one."""
    given: Mapping[str, Any] = args
    wrong = {field: remedy for field, rule in _RULES.items() if field in given and (remedy := rule(given[field]))}
    yield from (Problem(field, given[field], remedy) for field, remedy in wrong.items())
    yield from _plain_problems(args)


def _problems(args: KubernetesServiceArgs) -> Iterator[Problem]:
    yield from _plain_problems(args)
    if "route" in args:
        yield from gateway_problems(args["route"], "route")


def _plain_problems(args: KubernetesServiceArgs) -> Iterator[Problem]:
    yield from resource_problems(args["resources"], "resources")
    if "scaling" in args:
        yield from scaling_problems(args["scaling"], "scaling")
        if "replicas" in args:
            yield Problem("replicas", args["replicas"], "`scaling` has their number; leave one of both out")
    yield from _port_problems(args)
    for side in ("reaches", "reached_by"):
        for purpose, peer in args.get(side, {}).items():
            yield from peer_problems(f"{side}.{purpose}", peer)
    if "route" in args:
        yield from route_problems(args["route"], "route")
    yield from secret_problems(args.get("secrets", {}))
    yield from environment_problems(args.get("environment", {}), args.get("secrets", {}))


def _port_problems(args: KubernetesServiceArgs) -> Iterator[Problem]:
    port, metrics = args.get("port"), args.get("metrics_port")
    if port is None and metrics is None:
        yield Problem("port", MISSING, "give it, or `metrics_port`: probes need something to ask")
    if port is not None and port == metrics:
        yield Problem("metrics_port", metrics, "`port` is this one; give another")
    if "route" in args and port is None:
        yield Problem("route", MISSING, "leads to `port`; give that, or leave the route out")
    for purpose, peer in args.get("reached_by", {}).items():
        for i, each in enumerate(peer["ports"]):
            if each not in (port, metrics) and 1 <= each <= 65535:
                yield Problem(
                    f"reached_by.{purpose}.ports[{i}]", each, "give `port` or `metrics_port`; it has no others"
                )
