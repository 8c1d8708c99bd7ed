"""Kubernetes: in the sound stack, and the ways to break it."""

from typing import Any

from policy.rules.pods import WORKLOADS
from preview.plan import SECRET, UNKNOWN

from ..breaking import Break, changed, with_options, without
from ..sketch import Sketch

RBAC = "rbac.authorization.k8s.io/v1"
APPS = "apps/v1"
GATEWAYS = "gateway.networking.k8s.io/v1"
PLAIN = {"name": "http", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "Same"}}}
OVER_TLS = {
    "name": "https",
    "port": 443,
    "protocol": "HTTPS",
    "tls": {"mode": "Terminate", "certificateRefs": [{"name": "web-tls"}]},
    "allowedRoutes": {"namespaces": {"from": "Selector"}},
}
BACKEND = [{"name": "web", "port": 8080}]
REDIRECT = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}
CHART = {
    "chart": "cert-manager",
    "version": "v1.21.1",
    "repositoryOpts": {"repo": "https://charts.example"},
    "namespace": "certificates",
    "atomic": True,
}
READS = {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["web"], "verbs": ["get", "watch"]}
SERVICE_ACCOUNT = {"kind": "ServiceAccount", "name": "web", "namespace": "shop"}
ENVIRONMENT = [
    {"name": "LOG_LEVEL", "value": "info"},
    {"name": "DB_PASSWORD_FILE", "value": "/etc/db/password"},
    {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
]


def plant(sketch: Sketch) -> None:
    """Put it into the sound stack."""
    level = {"pod-security.kubernetes.io/enforce": "restricted", "plinth/tier": sketch.tier}
    sketch.change("namespace", metadata={"name": "shop", "labels": level})
    _workloads(sketch)
    _rights(sketch)
    _ways_in(sketch)
    _further(sketch)


def _workloads(sketch: Sketch) -> None:
    durable, fewest = sketch.tier != "dev", 2 if sketch.tier != "dev" else 1
    for each in sketch.plan().of_type(*WORKLOADS):
        spec = _told(each.inputs["spec"])
        # This one has a role, and so it may ask the API server.
        own = {"automountServiceAccountToken": True} if each.name == "once" else {}
        sketch.change(each.name, metadata=_metadata(each.name), spec={**spec, **own})
    spec = next(each for each in sketch.plan().resources if each.name == "web").inputs["spec"]
    pod = spec["template"]["spec"]
    sketch.change("web", spec={**spec, "replicas": fewest})
    busy = {"template": {"metadata": {"labels": {"app": "busy"}}, "spec": pod}}
    _add(sketch, f"{APPS}:Deployment", "busy", {"spec": busy})
    target = {"kind": "Deployment", "name": UNKNOWN}
    _add(
        sketch,
        "autoscaling/v2:HorizontalPodAutoscaler",
        "busy-scale",
        {"spec": {"scaleTargetRef": target, "minReplicas": fewest, "maxReplicas": 5}},
        to={"spec": "busy"},
    )
    for name, some in (("web", {"maxUnavailable": 1}), ("busy", {"minAvailable": 1})):
        selector = {"selector": {"matchLabels": {"app": name}}}
        _add(sketch, "policy/v1:PodDisruptionBudget", f"{name}-budget", {"spec": {**some, **selector}})
    kept = "Retain" if durable else "Delete"
    keeper = {
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": kept, "whenScaled": "Retain"},
        "volumeClaimTemplates": [{"metadata": {"name": "data"}}],
        "template": {"metadata": {"labels": {"app": "keeper"}}, "spec": pod},
    }
    _add(sketch, f"{APPS}:StatefulSet", "keeper", {"spec": keeper}, protect=durable)
    _add(sketch, "core/v1:PersistentVolumeClaim", "claim", {"spec": {}}, protect=durable)
    _add(sketch, f"{APPS}:StatefulSet", "forgetful", {"spec": {"template": keeper["template"]}})


def _rights(sketch: Sketch) -> None:
    _add(sketch, "core/v1:ServiceAccount", "web-account", {"automountServiceAccountToken": False})
    _add(sketch, f"{RBAC}:Role", "web-role", {"rules": [READS]})
    named = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["one"], "verbs": ["get"]}
    looks = {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}
    _add(sketch, f"{RBAC}:ClusterRole", "node-reader", {"rules": [looks, named]})
    _add(sketch, f"{RBAC}:ClusterRole", "collected", {"aggregationRule": {}})
    people = {"kind": "Group", "name": "engineers"}
    binding = {"roleRef": {"kind": "Role", "name": "web"}, "subjects": [SERVICE_ACCOUNT, people]}
    _add(sketch, f"{RBAC}:RoleBinding", "web-binding", binding)


def _ways_in(sketch: Sketch) -> None:
    _add(sketch, "core/v1:Service", "web-service", {"spec": {"type": "ClusterIP", "ports": [{"port": 80}]}})
    balanced = {"spec": {"type": "LoadBalancer", "loadBalancerClass": "service.k8s.aws/nlb"}}
    _add(sketch, "core/v1:Service", "web-balancer", balanced)
    _add(sketch, "networking.k8s.io/v1:Ingress", "elsewhere", {"spec": {"ingressClassName": "alb"}})
    spec = {"gatewayClassName": "envoy", "listeners": [PLAIN, OVER_TLS]}
    _add(sketch, f"{GATEWAYS}:Gateway", "web-gateway", {"spec": spec})
    _add(sketch, f"{GATEWAYS}:HTTPRoute", "web-route", {"spec": _route("https", {"backendRefs": BACKEND})})
    _add(sketch, f"{GATEWAYS}:HTTPRoute", "web-redirect", {"spec": _route("http", {"filters": [REDIRECT]})})
    ports = [{"port": 8080}]
    opened = {
        "podSelector": {"matchLabels": {"app": "web"}},
        "ingress": [{"ports": ports}],
        "egress": [{"ports": ports}],
    }
    _add(sketch, "networking.k8s.io/v1:NetworkPolicy", "web-policy", {"spec": opened})


def _further(sketch: Sketch) -> None:
    sketch.add("kubernetes:helm.sh/v3:Release", "chart", CHART, provider="cluster")
    acme = {"acme": {"server": "https://acme.example/directory", "privateKeySecretRef": {"name": "account"}}}
    _add(sketch, "cert-manager.io/v1:ClusterIssuer", "issuer", {"spec": acme})
    _add(sketch, "cert-manager.io/v1:ClusterIssuer", "ca-issuer", {"spec": {"ca": {"secretName": "ca"}}})
    store = {"provider": {"aws": {"service": "SecretsManager", "region": "eu-central-1"}}}
    _add(sketch, "external-secrets.io/v1:SecretStore", "store", {"spec": store})
    _add(sketch, "core/v1:ConfigMap", "settings", {"data": {"LOG_LEVEL": "info", "TOKEN_FILE": "/etc/token"}})
    _add(sketch, "core/v1:Secret", "credentials", {"stringData": SECRET})
    encrypted = {"provisioner": "ebs.csi.aws.com", "parameters": {"type": "gp3", "encrypted": "true"}}
    _add(sketch, "storage.k8s.io/v1:StorageClass", "ebs-volumes", encrypted)
    _add(sketch, "storage.k8s.io/v1:StorageClass", "pd-volumes", {"provisioner": "pd.csi.storage.gke.io"})


def _add(sketch: Sketch, type_: str, name: str, inputs: dict[str, Any], **options: Any) -> None:
    whole = {"metadata": _metadata(name), **inputs}
    sketch.add(f"kubernetes:{type_}", name, whole, provider="cluster", **options)


def _metadata(name: str) -> dict[str, str]:
    return {"name": name, "namespace": "shop"}


def _told(spec: dict[str, Any]) -> dict[str, Any]:
    """What a workload is, and who its pods are, and what they are told."""
    if "containers" not in spec:
        return {key: _told(value) if isinstance(value, dict) else value for key, value in spec.items()}
    containers = [{**each, "env": ENVIRONMENT} for each in spec["containers"]]
    return {**spec, "containers": containers, "serviceAccountName": "web", "automountServiceAccountToken": False}


def _route(listener: str, rule: dict[str, Any]) -> dict[str, Any]:
    return {"parentRefs": [{"name": "web-gateway", "sectionName": listener}], "rules": [rule]}


def in_pods(name: str, **settings: Any) -> Break:
    """Break a stack by settings of the pods of a Deployment or StatefulSet."""

    def broken(sketch: Sketch) -> None:
        spec = next(each for each in sketch.plan().resources if each.name == name).inputs["spec"]
        pod = {**spec["template"]["spec"], **settings}
        sketch.change(name, spec={**spec, "template": {**spec["template"], "spec": pod}})

    return broken


def in_spec(name: str, **settings: Any) -> Break:
    """Break a stack by settings of what is called so; None takes one away."""

    def broken(sketch: Sketch) -> None:
        known = next(each for each in sketch.plan().resources if each.name == name)
        spec = {key: value for key, value in {**known.inputs["spec"], **settings}.items() if value is not None}
        # What the properties are made of stays as it is.
        links = known.property_dependencies
        sketch.change(name, spec=spec)
        sketch.set(name, property_dependencies=links)

    return broken


def after(first: Break, second: Break) -> Break:
    """Break a stack in two places."""

    def broken(sketch: Sketch) -> None:
        first(sketch)
        second(sketch)

    return broken


def with_image(image: str) -> Break:
    """Break a stack by the image of a pod."""
    return in_pods("web", containers=[{"name": "web", "image": image}])


def allowing(name: str, **rule: Any) -> Break:
    """Break a stack by one more thing that a role allows."""
    return changed(name, rules=[READS, {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"], **rule}])


def installing(**settings: Any) -> Break:
    """Break a stack by settings of a release; None takes one away."""
    return changed("chart", **settings)


def somewhere(namespace: str | None) -> dict[str, Any]:
    """Metadata that names a namespace, or none."""
    return {"name": "it", **({"namespace": namespace} if namespace else {})}


BREAKS: dict[str, list[Break]] = {
    "kubernetes-own-namespace": [
        changed("web", metadata=somewhere(None)),
        changed("web-service", metadata=somewhere("default")),
        changed("credentials", metadata=somewhere("kube-system")),
        changed("web-binding", metadata=somewhere("kube-public")),
    ],
    "kubernetes-policy-ports": [
        in_spec("web-policy", ingress=[{"ports": [{"port": 80}]}, {"from": [{"podSelector": {}}]}]),
        in_spec("web-policy", egress=[{}]),
    ],
    "kubernetes-service-inside": [
        in_spec("web-service", type="NodePort"),
        in_spec("web-service", externalIPs=["203.0.113.1"]),
    ],
    "kubernetes-load-balancer-scheme": [
        in_spec("web-balancer", loadBalancerClass=None),
        after(
            in_spec("web-balancer", loadBalancerClass=None),
            changed("web-balancer", metadata={**somewhere("shop"), "annotations": {"example.org/owner": "shop"}}),
        ),
    ],
    "kubernetes-no-ingress-nginx": [
        in_spec("elsewhere", ingressClassName="nginx"),
        changed("elsewhere", metadata={**somewhere("shop"), "annotations": {"kubernetes.io/ingress.class": "nginx"}}),
        installing(chart="ingress-nginx"),
        installing(chart="oci://registry.example/charts/ingress-nginx"),
        lambda sketch: _add(
            sketch, "networking.k8s.io/v1:IngressClass", "nginx", {"spec": {"controller": "k8s.io/ingress-nginx"}}
        ),
    ],
    "kubernetes-gateway-tls": [
        in_spec("web-gateway", listeners=[PLAIN]),
        in_spec("web-gateway", listeners=[{**OVER_TLS, "tls": {"mode": "Terminate"}}]),
        in_spec("web-gateway", listeners=[{**OVER_TLS, "tls": {"mode": "Passthrough"}}]),
        in_spec("web-gateway", listeners=[OVER_TLS, {**PLAIN, "protocol": "TCP"}]),
        in_spec("web-gateway", listeners=[OVER_TLS, {**PLAIN, "allowedRoutes": {"namespaces": {"from": "All"}}}]),
    ],
    "kubernetes-plain-redirects": [
        in_spec("web-redirect", rules=[{"backendRefs": BACKEND}]),
        in_spec("web-redirect", rules=[{"filters": [REDIRECT], "backendRefs": BACKEND}]),
        in_spec(
            "web-redirect", rules=[{"filters": [{"type": "RequestRedirect", "requestRedirect": {"hostname": "it"}}]}]
        ),
        # Of no one listener, so of all.
        in_spec("web-route", parentRefs=[{"name": "web-gateway"}]),
        in_spec("web-route", parentRefs=[{"name": UNKNOWN, "sectionName": "http"}]),
    ],
    "kubernetes-issuer-https": [
        in_spec("issuer", acme={"server": "http://acme.example/directory"}),
        in_spec("issuer", acme={"server": "https://acme.example/directory", "skipTLSVerify": True}),
    ],
    "kubernetes-secret-store-identity": [
        in_spec("store", provider={"aws": {"auth": {"secretRef": {"accessKeyIDSecretRef": {"name": "key"}}}}}),
        in_spec("store", provider={"vault": {"auth": {"tokenSecretRef": {"name": "token"}}}}),
    ],
    "kubernetes-config-no-secrets": [
        changed("settings", data={"DB_PASSWORD": "x"}),
        changed("settings", data={"api.key": UNKNOWN}),
        changed("settings", data={"application.yaml": SECRET}),
        changed("settings", data=SECRET),
    ],
    "pod-no-plain-secrets": [
        in_pods("web", initContainers=[{"name": "x", "env": [*ENVIRONMENT, {"name": "JWT_SECRET", "value": "x"}]}]),
        in_pods("keeper", containers=[{"name": "x", "env": [{"name": "LEVEL", "value": SECRET}]}]),
    ],
    "pod-images-registry": [
        with_image("nginx:1.2.3"),
        with_image("shop/web:1.2.3"),
        with_image(f"shop@sha256:{'0' * 64}"),
    ],
    "kubernetes-replicas": [
        in_spec("web", replicas=1),
        in_spec("web", replicas=None),
        without("busy-scale"),
    ],
    "kubernetes-autoscaler-range": [
        in_spec("busy-scale", maxReplicas=1),
        in_spec("busy-scale", minReplicas=None, maxReplicas=0),
    ],
    "kubernetes-autoscaler-fewest": [in_spec("busy-scale", minReplicas=1), in_spec("busy-scale", minReplicas=None)],
    "kubernetes-disruption-budget": [
        without("web-budget"),
        in_spec("web-budget", selector={"matchLabels": {"app": "other"}}),
        in_spec("busy-budget", selector={}),
        changed("web-budget", metadata=somewhere("desk")),
    ],
    "kubernetes-drainable": [
        in_spec("web-budget", maxUnavailable=0),
        in_spec("busy-budget", minAvailable="100%"),
    ],
    "kubernetes-data-kept": [
        with_options("keeper", protect=False),
        with_options("claim", protect=False),
        in_spec("keeper", persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete"}),
        in_spec("keeper", persistentVolumeClaimRetentionPolicy={"whenScaled": "Delete"}),
    ],
    "kubernetes-volumes-encrypted": [
        changed("ebs-volumes", parameters={"type": "gp3"}),
        changed("ebs-volumes", parameters=None),
        changed("ebs-volumes", provisioner="ebs.csi.eks.amazonaws.com", parameters={"encrypted": "false"}),
    ],
    "kubernetes-release-pinned": [
        *(installing(version=version) for version in (None, "1.x", "^1.2.3", ">=1.0.0", "latest")),
        installing(repositoryOpts=None),
        installing(repositoryOpts={"repo": "http://charts.example"}),
        installing(repositoryOpts={"repo": "https://charts.example", "password": "x"}),
        installing(chart="http://charts.example/x.tgz"),
        installing(atomic=False),
        installing(atomic=None),
        installing(namespace="default"),
        installing(namespace=None),
    ],
    "kubernetes-role-named": [
        allowing("web-role", verbs=["*"]),
        allowing("web-role", resources=["*"]),
        allowing("node-reader", apiGroups=["*"]),
        allowing("node-reader", resources=["pods/*"]),
    ],
    "kubernetes-role-gains-nothing": [
        allowing("web-role", resources=["users"], verbs=["impersonate"]),
        allowing("web-role", resources=["roles"], verbs=["escalate"]),
        allowing("node-reader", resources=["clusterroles"], verbs=["bind"]),
        allowing("web-role", resources=["rolebindings"], verbs=["patch"]),
        allowing("node-reader", resources=["mutatingwebhookconfigurations"], verbs=["get", "update"]),
        allowing("web-role", resources=["serviceaccounts/token"], verbs=["create"]),
    ],
    "kubernetes-cluster-role-no-secrets": [
        allowing("node-reader", resources=["pods", "secrets"], verbs=["list"]),
        allowing("node-reader", resources=["secrets"], verbs=["get"]),
        allowing("node-reader", resources=["secrets"], verbs=["create", "watch"]),
    ],
    "kubernetes-role-no-shell": [
        allowing("web-role", resources=["pods/exec"], verbs=["create"]),
        allowing("web-role", resources=["pods/attach"]),
        allowing("node-reader", resources=["nodes/proxy"]),
    ],
    "kubernetes-binding-narrow": [
        changed("web-binding", roleRef={"kind": "ClusterRole", "name": "cluster-admin"}),
        *(
            changed("web-binding", subjects=[SERVICE_ACCOUNT, {"kind": "Group", "name": name}])
            for name in ("system:unauthenticated", "system:masters", "system:serviceaccounts:shop")
        ),
        changed("web-binding", subjects=[{**SERVICE_ACCOUNT, "name": "default"}]),
    ],
    "kubernetes-account-no-token": [
        changed("web-account", automountServiceAccountToken=True),
        changed("web-account", automountServiceAccountToken=None),
    ],
    "pod-own-account": [
        in_pods("web", serviceAccountName="default"),
        in_pods("keeper", serviceAccountName=None),
        in_spec("once", serviceAccountName=""),
    ],
    "pod-token": [
        in_pods("web", automountServiceAccountToken=None),
        in_pods("web", automountServiceAccountToken=True, serviceAccountName="other"),
        without("web-binding"),
    ],
}
"""The ways to break the sound stack, by the rule that must notice."""
