"""Secrets that reach a cluster from elsewhere: from a cloud's store, or sealed for it."""

from collections.abc import Iterator
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from ..component import Component, between, checked, known_after
from ..problems import Problem
from .add_on import (
    API_SERVER,
    AWS_IDENTITY,
    CONTAINER_SECURITY,
    GOOGLE_IDENTITY,
    POD_SECURITY,
    SOME_STAY,
    AddOn,
    Pods,
    account,
    called_at,
    given,
    install,
    labels_of,
    resources,
    spread,
)
from .charts import CHART_RULES
from .names import annotations_problem, checked_label, label_problem, namespace_problems, subdomain_problem
from .provider import provider_problem

NAMESPACE = "external-secrets"
"""Namespace of External Secrets."""
SERVICE_ACCOUNT = "external-secrets"
"""Service account of its controller, which reads the cloud's store."""
SEALED_NAMESPACE = "sealed-secrets"
"""Namespace of Sealed Secrets, where the keys are. `kubeseal` is told it: `--controller-namespace sealed-secrets`."""
_SEALED_CONTROLLER = "sealed-secrets-controller"
"""How `kubeseal` expects the controller to be called."""
_SEALED_POD = {"app.kubernetes.io/name": "sealed-secrets"}
_WEBHOOK, _METRICS, _SEALED_METRICS = 10250, 8080, 8081
_SEALING = 8443
"""Where `kubeseal` gets the key for sealing, by way of the API server: one of the ports that EKS may call on nodes."""


class AwsSecretStore(TypedDict):
    """Secrets Manager."""

    region: pulumi.Input[str]
    """Region of the secrets."""


class GoogleSecretStore(TypedDict):
    """Secret Manager."""

    project: pulumi.Input[str]
    """Id of the secrets' project."""


class SecretStoreProvider(TypedDict):
    """The secret store of one cloud."""

    aws: NotRequired[AwsSecretStore]
    """Secrets Manager of AWS."""
    google: NotRequired[GoogleSecretStore]
    """Secret Manager of Google Cloud."""


class ExternalSecretsArgs(TypedDict):
    """Which store secrets come from."""

    provider: SecretStoreProvider
    """The store, of `aws` or of `google`: its cloud's way to sign in is open to the controller."""
    mirror: NotRequired[str]
    """Where charts come from, as `HelmRelease` takes it. Default: the chart's own repository."""
    images: NotRequired[dict[str, str]]
    """Where images come from: what stands in place of a registry's name, by that, for example `quay.io`. Default: each
    image's own registry."""
    service_account_annotations: NotRequired[dict[str, pulumi.Input[str]]]
    """Annotations of the controller's service account, by which Workload Identity knows it. Default: none, since Pod
    Identity needs none."""
    priority_class: NotRequired[pulumi.Input[str]]
    """Priority class of its pods. Default: none."""
    replicas: NotRequired[int]
    """Pods of the controller, of which one leads, and of the webhook each, 1 to 5. Default: 2."""


class ExternalSecrets(Component):
    """External Secrets: it brings secrets of a cloud's store into Secrets of the cluster, and keeps them as they are
    there.

    The controller reads the store as itself: its identity must be there before it, and what that may read, whoever may
    make an ExternalSecret beside a store can have. It serves stores of namespaces alone: kinds for the whole cluster,
    and the way back into a store, are left out, and it may make no tokens.

    Raises `InputError` for bad args, among them a provider of no cloud or of two.
    """

    ready: pulumi.Output[str]
    """Name of the release, once it is there and its pods are ready."""
    namespace: pulumi.Output[str]
    """Name of its namespace."""

    def __init__(self, name: str, args: ExternalSecretsArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"ExternalSecrets {name}"
        args = checked(ExternalSecretsArgs, args, subject, _RULES, lambda given: provider_problem(given["provider"]))
        super().__init__(name, opts)
        installed = install(name, _external(args), self._child)
        self.ready = installed.release.ready
        self.namespace = installed.namespace
        self._register()


class ExternalSecretStoreArgs(TypedDict):
    """Which store is read, and into which namespace."""

    namespace: pulumi.Input[str]
    """Name of the namespace into which secrets are brought."""
    provider: SecretStoreProvider
    """The store: of `aws` or of `google`."""


class ExternalSecretStore(Component):
    """The way from a cloud's secret store into one namespace: a SecretStore that is called as the component.

    It says nothing of how to sign in: External Secrets does so as itself. `ExternalSecrets` must be there before it.

    Raises `InputError` for bad args, among them a provider of no cloud or of two, and for a name that is no DNS label.
    """

    store: pulumi.Output[str]
    """Name of the SecretStore, once it is made."""

    def __init__(self, name: str, args: ExternalSecretStoreArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"ExternalSecretStore {name}"
        args = checked(
            ExternalSecretStoreArgs, args, subject, _STORE_RULES, lambda given: provider_problem(given["provider"])
        )
        checked_label(name, subject)
        super().__init__(name, opts)
        store = kubernetes.apiextensions.CustomResource(
            name,
            api_version="external-secrets.io/v1",
            kind="SecretStore",
            metadata={"name": name, "namespace": args["namespace"], "labels": labels_of("external-secrets")},
            spec={"provider": _provider(args["provider"])},
            opts=self._child(),
        )
        self.store = known_after(name, store.urn)
        self._register()


class SealedSecretsArgs(TypedDict):
    """Where sealed secrets are opened."""

    namespaces: list[pulumi.Input[str]]
    """Names of the namespaces in which they are opened, which must be there. In others the controller has no rights."""
    key_days: NotRequired[int]
    """Days until there is a new key to seal with; what was sealed with an old one can still be opened. 1 to 365.
    Default: 30."""
    mirror: NotRequired[str]
    """Where charts come from, as `HelmRelease` takes it. Default: the chart's own repository."""
    images: NotRequired[dict[str, str]]
    """Where images come from: what stands in place of a registry's name, by that, for example `quay.io`. Default: each
    image's own registry."""
    priority_class: NotRequired[pulumi.Input[str]]
    """Priority class of its pod. Default: none."""


class SealedSecrets(Component):
    """Sealed Secrets: it opens secrets that were sealed for this cluster into Secrets of the same name and namespace.

    It runs as one pod, which alone has the keys. These are Secrets of its namespace: without a copy of them, nothing
    that was sealed can be opened in another cluster, or after the add-on has been destroyed. Its kind stays in the
    cluster then, as Helm leaves it.

    Raises `InputError` for bad args.
    """

    ready: pulumi.Output[str]
    """Name of the release, once it is there and its pod is ready."""
    namespace: pulumi.Output[str]
    """Name of its namespace."""

    def __init__(self, name: str, args: SealedSecretsArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"SealedSecrets {name}"
        args = checked(SealedSecretsArgs, args, subject, _SEALED_RULES, _sealed_problems)
        super().__init__(name, opts)
        installed = install(name, _sealed(args), self._child)
        self.ready = installed.release.ready
        self.namespace = installed.namespace
        self._register()


def _provider(provider: SecretStoreProvider) -> dict[str, Any]:
    if "aws" in provider:
        return {"aws": {"service": "SecretsManager", "region": provider["aws"]["region"]}}
    return {"gcpsm": {"projectID": provider["google"]["project"]} if "google" in provider else {}}


def _external(args: ExternalSecretsArgs) -> AddOn:
    identity = AWS_IDENTITY if "aws" in args["provider"] else GOOGLE_IDENTITY
    pods = {
        "controller": Pods(_external_pod(""), {**API_SERVER, **identity}, called_at(_METRICS)),
        "webhook": Pods(_external_pod("-webhook"), API_SERVER, called_at(_WEBHOOK, _METRICS)),
        "cert-controller": Pods(_external_pod("-cert-controller"), API_SERVER, called_at(_METRICS)),
    }
    replicas = args.get("replicas", 2)
    common = {
        "podSecurityContext": {"enabled": True, **POD_SECURITY},
        "securityContext": {"enabled": True, **CONTAINER_SECURITY},
        "livenessProbe": {"enabled": True},
        "readinessProbe": {"enabled": True},
        **given(priorityClassName=args.get("priority_class")),
    }
    several = {
        **common,
        "replicaCount": replicas,
        "podDisruptionBudget": {"enabled": replicas > 1, **SOME_STAY},
    }
    values = {
        **several,
        "installCRDs": True,
        "leaderElect": True,
        # Kinds for the whole cluster, and those that write into a store, are neither served nor there.
        "crds": {f"create{kind}": False for kind in _LEFT_OUT},
        **{f"process{kind.replace('SecretStore', 'Store')}": False for kind in _LEFT_OUT},
        "rbac": {"serviceAccountTokenCreate": False, "servicebindings": {"create": False}},
        "serviceAccount": account(SERVICE_ACCOUNT, args.get("service_account_annotations")),
        "global": {"topologySpreadConstraints": spread()},
        "resources": resources("25m", "96Mi", "500m", "384Mi"),
        "webhook": {**several, "resources": resources("10m", "64Mi", "250m", "192Mi")},
        "certController": {**common, "resources": resources("10m", "64Mi", "250m", "256Mi")},
    }
    return AddOn("external-secrets", NAMESPACE, pods, values, args.get("mirror"), args.get("images"))


def _external_pod(suffix: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": f"external-secrets{suffix}"}


def _sealed(args: SealedSecretsArgs) -> AddOn:
    values = {
        "fullnameOverride": _SEALED_CONTROLLER,
        "keyrenewperiod": f"{args.get('key_days', 30) * 24}h",
        # Roles in these namespaces, instead of one over the Secrets of the whole cluster.
        "additionalNamespaces": [SEALED_NAMESPACE, *args["namespaces"]],
        "rbac": {
            "clusterRole": False,
            "namespacedRoles": True,
            # The right to call it by way of the API server can be given: the chart gives it to all who can sign in.
            "serviceProxier": {"create": True, "bind": False},
        },
        "containerPorts": {"http": _SEALING, "metrics": _SEALED_METRICS},
        "logFormat": "json",
        "serviceAccount": account(_SEALED_CONTROLLER),
        "podSecurityContext": {"enabled": True, **POD_SECURITY},
        "containerSecurityContext": {"enabled": True, **CONTAINER_SECURITY},
        "resources": resources("10m", "48Mi", "250m", "128Mi"),
        **given(priorityClassName=args.get("priority_class")),
    }
    pods = Pods(_SEALED_POD, API_SERVER, called_at(_SEALING, _SEALED_METRICS))
    return AddOn(
        "sealed-secrets", SEALED_NAMESPACE, {"controller": pods}, values, args.get("mirror"), args.get("images")
    )


def _sealed_problems(args: SealedSecretsArgs) -> Iterator[Problem]:
    if not args["namespaces"]:
        yield Problem("namespaces", [], "name one namespace or more; in others nothing is opened")
    yield from namespace_problems(args["namespaces"])


_LEFT_OUT = ("ClusterSecretStore", "ClusterExternalSecret", "ClusterPushSecret", "ClusterGenerator", "PushSecret")
_RULES = {
    **CHART_RULES,
    "service_account_annotations": annotations_problem,
    "priority_class": subdomain_problem,
    "replicas": between(1, 5, "pods"),
}
_STORE_RULES = {"namespace": label_problem}
_SEALED_RULES = {
    **CHART_RULES,
    "priority_class": subdomain_problem,
    "key_days": between(1, 365, "days"),
}
