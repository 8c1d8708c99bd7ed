"""Kubernetes: namespaces and what stands in them, and how they are reached."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .demands import (
    DURABLE,
    EVERY_TIER,
    PROD,
    Demand,
    absent,
    at_least,
    equal,
    given,
    including,
    judged,
    matching,
    never,
    true,
)
from .paths import MISSING, SECRET, UNKNOWN, read
from .pods import POD, WORKLOADS
from .rbac import ACCOUNT, BINDINGS, ROLE
from .rule import Link, Resource, Rule, Stack

PROVIDER = "pulumi:providers:kubernetes"
NAMESPACE = "kubernetes:core/v1:Namespace"
NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
SERVICE = "kubernetes:core/v1:Service"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
SECRET_OBJECT = "kubernetes:core/v1:Secret"  # noqa: S105
CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
STORAGE_CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
AUTOSCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"
RELEASE = "kubernetes:helm.sh/v3:Release"
INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
INGRESS_CLASS = "kubernetes:networking.k8s.io/v1:IngressClass"
GATEWAY = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
HTTP_ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
ISSUERS = ("kubernetes:cert-manager.io/v1:ClusterIssuer", "kubernetes:cert-manager.io/v1:Issuer")
SECRET_STORES = tuple(
    f"kubernetes:external-secrets.io/{version}:{kind}"
    for version in ("v1", "v1beta1")
    for kind in ("SecretStore", "ClusterSecretStore")
)

CLOUDS = ("pulumi:providers:aws", "pulumi:providers:gcp")
"""The providers whose tags say which tier a stack is of."""
TIER_LABEL = "plinth/tier"
"""The label of a namespace that says it, where no cloud's provider does."""
DECOMMISSION_LABEL = "plinth/decommission"
"""The label of a namespace that is being taken down."""
_CONTAINERS = f"{POD}.containers|initContainers[*]"
_OF_REGISTRY = r"(localhost|[\w-]+(\.[\w-]+)+|[\w.-]+:\d+)(:\d+)?/.+"
_OURS = matching(
    r"(?!(default|kube-system|kube-public|kube-node-lease)$).+",
    "name a namespace of ours",
    "default",
    "kube-system",
)
_SCHEMES = (
    "cloud.google.com/load-balancer-type",
    "networking.gke.io/load-balancer-type",
    "service.beta.kubernetes.io/aws-load-balancer-internal",
    "service.beta.kubernetes.io/aws-load-balancer-scheme",
    "service.beta.kubernetes.io/azure-load-balancer-internal",
)
"""Annotations that say whether the internet reaches a load balancer."""
_SECRET_NAME = re.compile(
    r"(.*[._-])?(password|passwd|passphrase|pwd|secret|token|api[._-]?key|access[._-]?key|private[._-]?key|credentials?)",
    re.IGNORECASE,
)
"""What a variable is called that holds a secret. `..._FILE` and `..._NAME` say where there is one."""


def _tier(resource: Resource, stack: Stack) -> str:
    """The tier of something in a cluster, whose provider has no tags; prod, the strictest, where nothing names one."""
    tier = _said(resource, stack, TIER_LABEL, "tier")
    return tier if tier in EVERY_TIER else PROD


def _stays(resource: Resource, stack: Stack) -> bool:
    return _said(resource, stack, DECOMMISSION_LABEL, "decommission") != "true"


def _said(resource: Resource, stack: Stack, label: str, tag: str) -> Any:
    """What the label of its namespace says, or else the tag of a cloud's provider in the same stack."""
    labels = [read(each.inputs, f'metadata.labels["{label}"]') for each in _namespaces(resource, stack)]
    paths = (f"defaultTags.tags.{tag}", f"defaultLabels.{tag}")
    tags = [read(each.inputs, path) for each in stack.of_types(CLOUDS) for path in paths]
    return next((each for each in (*labels, *tags) if each is not MISSING), MISSING)


def _namespaces(resource: Resource, stack: Stack) -> Iterable[Resource]:
    """The namespace that something stands in, where it is of this stack."""
    made_of = [*stack.pointed(resource, NAMESPACE, "metadata"), *stack.pointed(resource, NAMESPACE, "namespace")]
    if made_of:
        return made_of
    name = read(resource.inputs, "metadata.namespace")
    return [each for each in stack.of_types([NAMESPACE]) if name and read(each.inputs, "metadata.name") == name]


def _is_durable(resource: Resource, stack: Stack) -> bool:
    return _tier(resource, stack) in DURABLE


def _is_prod(resource: Resource, stack: Stack) -> bool:
    return _tier(resource, stack) == PROD


def _keeps_data(resource: Resource, stack: Stack) -> bool:
    has_volumes = resource.type == CLAIM or bool(read(resource.inputs, "spec.volumeClaimTemplates"))
    return has_volumes and _is_durable(resource, stack) and _stays(resource, stack)


def _autoscalers(deployment: Resource, stack: Stack) -> list[Resource]:
    name = read(deployment.inputs, "metadata.name")
    return [
        each
        for each in stack.of_types([AUTOSCALER])
        if deployment.urn in each.property_dependencies.get("spec", ())
        or (read(each.inputs, "spec.scaleTargetRef.name") == name and _beside(deployment, each))
    ]


def _beside(one: Resource, other: Resource) -> bool:
    """Whether two may stand in the same namespace."""
    spaces = {str(read(each.inputs, "metadata.namespace")) for each in (one, other)}
    return len(spaces) == 1 or UNKNOWN in spaces


def _has_a_fixed_number(deployment: Resource, stack: Stack) -> bool:
    return _is_durable(deployment, stack) and not _autoscalers(deployment, stack)


def budgets(deployment: Resource, stack: Stack) -> list[Resource]:
    """The disruption budgets of a deployment's pods."""
    labels = read(deployment.inputs, "spec.template.metadata.labels")
    return [each for each in stack.of_types([BUDGET]) if _selects(each, labels) and _beside(deployment, each)]


def _selects(budget: Resource, labels: Any) -> bool:
    selected = read(budget.inputs, "spec.selector.matchLabels")
    if UNKNOWN in (selected, labels):
        return True
    if not isinstance(selected, dict) or not isinstance(labels, dict):
        return False
    return bool(selected) and all(value in (UNKNOWN, labels.get(key)) for key, value in selected.items())


def _has_no_budget(deployment: Resource, stack: Stack) -> Iterator[str]:
    if not budgets(deployment, stack):
        yield "no disruption budget selects its pods"


def _ends_below_its_start(autoscaler: Resource, stack: Stack) -> Iterator[str]:
    fewest, most = (read(autoscaler.inputs, f"spec.{end}Replicas") for end in ("min", "max"))
    if _is_number(most) and (fewest if _is_number(fewest) else 1) > most:
        yield f"it starts above `spec.maxReplicas`, which is {most}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_balanced(service: Resource, stack: Stack) -> bool:
    return read(service.inputs, "spec.type") == "LoadBalancer"


def _says_no_scheme(service: Resource, stack: Stack) -> Iterator[str]:
    annotations = read(service.inputs, "metadata.annotations")
    known = annotations == UNKNOWN or (isinstance(annotations, dict) and any(each in annotations for each in _SCHEMES))
    if not known and not read(service.inputs, "spec.loadBalancerClass"):
        yield "neither a class nor an annotation says whether the internet reaches it"


def _is_for_all_pods(policy: Resource) -> bool:
    selector = read(policy.inputs, "spec.podSelector")
    return not isinstance(selector, dict) or not any(selector.values())


def _is_open(rule: object) -> bool:
    """Whether a rule of a network policy is about all ports."""
    return isinstance(rule, dict) and not rule.get("ports")


def _holds_secrets(config_map: Resource, stack: Stack) -> Iterator[str]:
    data = config_map.inputs.get("data")
    if data == SECRET:
        yield "all of `data` is secret"
    for key, value in data.items() if isinstance(data, dict) else ():
        if value == SECRET or (value and _SECRET_NAME.fullmatch(key)):
            yield f"`{key}` is plain text"


def _is_plain_secret(variable: object) -> bool:
    if not isinstance(variable, dict) or not variable.get("value"):
        return False
    return variable["value"] == SECRET or bool(_SECRET_NAME.fullmatch(str(variable.get("name"))))


def _listeners(gateway: Resource) -> list[Mapping[str, Any]]:
    found = read(gateway.inputs, "spec.listeners")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _is_unsafe(gateway: Resource, stack: Stack) -> Iterator[str]:
    listeners = _listeners(gateway)
    if listeners and not any(each.get("protocol") in ("HTTPS", "TLS", UNKNOWN) for each in listeners):
        yield "no listener is over TLS"
    for each in listeners:
        name, protocol = each.get("name"), each.get("protocol")
        if protocol in ("HTTPS", "TLS"):
            if read(each, "tls.mode") == "Passthrough":
                yield f"listener {name} passes TLS through"
            elif not read(each, "tls.certificateRefs"):
                yield f"listener {name} has no certificate"
        elif protocol == "HTTP":
            if read(each, "allowedRoutes.namespaces.from") not in (MISSING, "Same", UNKNOWN):
                yield f"listener {name} takes routes of other namespaces, and sends nothing over TLS"
        elif protocol != UNKNOWN:
            yield f"listener {name} is neither for HTTP nor over TLS"


def _is_plain(route: Resource, stack: Stack) -> bool:
    """Whether requests in plain text come to a route: it names the plain listener of a gateway, or none of several."""
    parents = read(route.inputs, "spec.parentRefs")
    return any(
        _meets(parent, listener)
        for parent in (parents if isinstance(parents, list) else ())
        if isinstance(parent, dict)
        for gateway in stack.of_types([GATEWAY])
        if gateway.urn in route.dependencies or parent.get("name") in (UNKNOWN, read(gateway.inputs, "metadata.name"))
        for listener in _listeners(gateway)
        if listener.get("protocol") == "HTTP"
    )


def _meets(parent: Mapping[str, Any], listener: Mapping[str, Any]) -> bool:
    return parent.get("sectionName") in (None, listener.get("name"))


def _has_static_credentials(store: Resource, stack: Stack) -> Iterator[str]:
    for key in _keys(read(store.inputs, "spec.provider")):
        if key.lower().endswith("secretref"):
            yield f"`{key}` points to a key that nobody renews"


def _keys(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        yield from content
    for each in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        yield from _keys(each)


def _finds_no_chart(release: Resource, stack: Stack) -> Iterator[str]:
    chart = str(release.inputs.get("chart", ""))
    is_name = re.fullmatch(r"[\w.-]+", chart) and not chart.endswith(".tgz")
    if is_name and not read(release.inputs, "repositoryOpts.repo"):
        yield "`chart` is a name alone, and `repositoryOpts.repo` does not say whose"


def _is_ebs(storage_class: Resource, stack: Stack) -> bool:
    return str(storage_class.inputs.get("provisioner")).startswith("ebs.csi.")


def _is(wrong: str) -> Demand:
    return never(f"not be {wrong}", lambda value: value == wrong, wrong)


def _is_plain_text(url: object) -> bool:
    return isinstance(url, str) and not url.startswith(("https://", "oci://"))


RULES = (
    Rule(
        "kubernetes-pod-security",
        "A namespace admits only pods of the restricted Pod Security Standard.",
        (NAMESPACE,),
        ("CIS-K8S-5.2.1",),
        demands={
            'metadata.labels["pod-security.kubernetes.io/enforce"]': equal(
                "restricted", breaks=["baseline", "privileged"]
            )
        },
    ),
    Rule(
        "kubernetes-default-deny",
        "A namespace has a network policy for all its pods that lets nothing in and nothing out.",
        (NAMESPACE,),
        ("CKV2_K8S_6", "CIS-K8S-5.3.2"),
        links=(
            Link(
                "a network policy that denies by default",
                NETWORK_POLICY,
                "metadata",
                {
                    "spec.policyTypes": including("Ingress", "Egress"),
                    "spec.ingress": absent([{}]),
                    "spec.egress": absent([{}]),
                },
                only=_is_for_all_pods,
            ),
        ),
    ),
    Rule(
        "kubernetes-own-namespace",
        "What runs, and what it needs, stands in a namespace of ours: not in the default one, nor in Kubernetes's own.",
        (
            *(*WORKLOADS, SERVICE, CONFIG_MAP, SECRET_OBJECT, CLAIM, ACCOUNT, ROLE, BINDINGS[0]),
            *(NETWORK_POLICY, AUTOSCALER, BUDGET),
        ),
        ("CKV_K8S_21", "KSV-0037", "KSV-0110", "CIS-K8S-5.7.4"),
        demands={"metadata.namespace": _OURS},
    ),
    Rule(
        "kubernetes-policy-ports",
        "A network policy says which ports it opens.",
        (NETWORK_POLICY,),
        demands={f"spec.{way}[*]": never("name its ports", _is_open, {}) for way in ("ingress", "egress")},
    ),
    Rule(
        "kubernetes-service-inside",
        "A service is reached inside the cluster, or through a load balancer: no port of any node leads to it, and no "
        "address that another one may have (CVE-2020-8554).",
        (SERVICE,),
        ("KSV-0108",),
        demands={"spec.type": _is("NodePort"), "spec.externalIPs": absent(["203.0.113.1"])},
    ),
    Rule(
        "kubernetes-load-balancer-scheme",
        "A load balancer says whether the internet reaches it, by its class or by an annotation.",
        (SERVICE,),
        demands={"spec.loadBalancerClass": judged()},
        check=_says_no_scheme,
        when=_is_balanced,
    ),
    Rule(
        "kubernetes-no-ingress-nginx",
        "Nothing comes in through ingress-nginx, which nobody mends since it was retired: the Gateway API is there.",
        (INGRESS, INGRESS_CLASS, RELEASE),
        demands={
            "spec.ingressClassName": _is("nginx"),
            'metadata.annotations["kubernetes.io/ingress.class"]': _is("nginx"),
            "spec.controller": _is("k8s.io/ingress-nginx"),
            "chart": never("not be ingress-nginx", lambda chart: "ingress-nginx" in str(chart), "ingress-nginx"),
        },
    ),
    Rule(
        "kubernetes-gateway-tls",
        "A gateway ends TLS itself, with a certificate; what comes in plain text is for routes of its own namespace, "
        "which send it over TLS.",
        (GATEWAY,),
        demands={
            "spec.listeners": judged(
                [{"name": "plain", "protocol": "HTTP"}],
                [{"name": "bare", "protocol": "HTTPS"}],
                [{"name": "through", "protocol": "TLS", "tls": {"mode": "Passthrough"}}],
                needed=False,
            )
        },
        check=_is_unsafe,
    ),
    Rule(
        "kubernetes-plain-redirects",
        "A route that requests in plain text come to sends them over TLS, and nowhere else.",
        (HTTP_ROUTE,),
        demands={
            "spec.rules[*].backendRefs": absent([{"name": "web", "port": 8080}]),
            "spec.rules[*].filters[*].type": equal("RequestRedirect", breaks=["URLRewrite"]),
            "spec.rules[*].filters[*].requestRedirect.scheme": equal("https", breaks=["http"]),
        },
        when=_is_plain,
        looks_around=True,
    ),
    Rule(
        "kubernetes-issuer-https",
        "An issuer of certificates asks its authority over TLS.",
        ISSUERS,
        demands={
            "spec.acme.server": never("begin with https://", _is_plain_text, "http://acme.example/directory"),
            "spec.acme.skipTLSVerify": absent(True),
        },
    ),
    Rule(
        "kubernetes-secret-store-identity",
        "What reads a secret store signs in as somebody, and not with a key that stands in a Secret.",
        SECRET_STORES,
        demands={"spec.provider": judged({"aws": {"auth": {"secretRef": {"accessKeyIDSecretRef": {}}}}}, needed=False)},
        check=_has_static_credentials,
    ),
    Rule(
        "kubernetes-config-no-secrets",
        "A ConfigMap holds no secret: who may look at a namespace reads it.",
        (CONFIG_MAP,),
        ("KSV-0109",),
        demands={"data": judged({"DB_PASSWORD": "x"}, {"token": UNKNOWN}, {"it": SECRET}, SECRET, needed=False)},
        check=_holds_secrets,
    ),
    Rule(
        "pod-no-plain-secrets",
        "A container gets its secrets out of Secrets, not as plain text.",
        WORKLOADS,
        demands={
            f"{_CONTAINERS}.env[*]": never(
                "come from a Secret", _is_plain_secret, {"name": "DB_PASSWORD", "value": "x"}, {"value": SECRET}
            )
        },
    ),
    Rule(
        "pod-images-registry",
        "An image names its registry: what a node takes for one without is its own affair.",
        WORKLOADS,
        demands={f"{_CONTAINERS}.image": matching(_OF_REGISTRY, "begin with a registry", "nginx:1.2", "shop/web:1.2")},
    ),
    Rule(
        "kubernetes-replicas",
        "A deployment whose number of pods is fixed has two or more, in staging and prod.",
        (DEPLOYMENT,),
        demands={"spec.replicas": at_least(2)},
        when=_has_a_fixed_number,
        looks_around=True,
    ),
    Rule(
        "kubernetes-autoscaler-range",
        "An autoscaler may go up from where it starts.",
        (AUTOSCALER,),
        demands={"spec.maxReplicas": judged(0, needed=False), "spec.minReplicas": judged(10_000, needed=False)},
        check=_ends_below_its_start,
    ),
    Rule(
        "kubernetes-autoscaler-fewest",
        "An autoscaler keeps two pods or more, in prod.",
        (AUTOSCALER,),
        demands={"spec.minReplicas": at_least(2)},
        when=_is_prod,
        looks_around=True,
    ),
    Rule(
        "kubernetes-disruption-budget",
        "Maintenance takes a deployment's pods one after the other, in prod.",
        (DEPLOYMENT,),
        check=_has_no_budget,
        when=_is_prod,
        looks_around=True,
    ),
    Rule(
        "kubernetes-drainable",
        "A disruption budget lets maintenance take some pods.",
        (BUDGET,),
        demands={
            "spec.maxUnavailable": never("allow one", lambda value: value in (0, "0", "0%"), 0, "0%"),
            "spec.minAvailable": never("leave one", lambda value: value == "100%", "100%"),
        },
    ),
    Rule(
        "kubernetes-data-kept",
        "What keeps data in a cluster is protected, and its volumes outlive it, in staging and prod.",
        (STATEFUL_SET, CLAIM),
        demands={
            f"spec.persistentVolumeClaimRetentionPolicy.{when}": never(
                "be Retain", lambda value: value != "Retain", "Delete"
            )
            for when in ("whenDeleted", "whenScaled")
        },
        options={"protect": true()},
        when=_keeps_data,
        looks_around=True,
    ),
    Rule(
        "kubernetes-volumes-encrypted",
        "A class of volumes of Amazon EBS encrypts them; those of other clouds are always encrypted.",
        (STORAGE_CLASS,),
        demands={"parameters.encrypted": equal("true", breaks=["false"])},
        when=_is_ebs,
    ),
    Rule(
        "kubernetes-release-pinned",
        "A release is of one exact version of a chart, from a source that is known and reached over TLS, and goes back "
        "to what ran before where it fails.",
        (RELEASE,),
        demands={
            "version": matching(r"v?\d+\.\d+\.\d+([-+][\w.+-]+)?", "be one exact version", "1.x", ">=1.2.3", "*"),
            "chart": matching(r"(?!https?://).+", "be a name, a path, or begin with oci://", "http://charts.example/x"),
            "repositoryOpts.repo": never("begin with https://", _is_plain_text, "http://charts.example"),
            "repositoryOpts.password": absent("x"),
            "atomic": true(),
            "namespace": _OURS,
        },
        check=_finds_no_chart,
    ),
    Rule(
        "kubernetes-provider-identified",
        "A Kubernetes provider names its cluster: another kubeconfig for the same cluster then replaces nothing.",
        (PROVIDER,),
        demands={"clusterIdentifier": given()},
    ),
)
