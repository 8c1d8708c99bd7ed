"""Add-ons of a cluster: their charts, namespaces, traffic and values."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from components import images
from components.images import mirrored, repository_of
from components.platform import autoscaling, certificates, dns, load_balancer, metrics, reloader, secrets
from components.platform.charts import CHARTS, REGISTRIES, images_problem, mirror_problem, source
from components.platform.namespace import KubernetesNamespace
from components.platform.releases import HelmRelease
from preview.plan import Plan, Resource

from ..support import one, planned, remedies
from .examples.platform import ACCOUNT, ACME, CLOUD_DNS, LOAD_BALANCERS, NODES, ROUTE_53
from .examples.shared import in_cluster

RELEASE = "kubernetes:helm.sh/v3:Release"
NAMESPACE = "kubernetes:core/v1:Namespace"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
ISSUER = "kubernetes:cert-manager.io/v1:ClusterIssuer"
CERTIFICATE = "kubernetes:cert-manager.io/v1:Certificate"
STORE = "kubernetes:external-secrets.io/v1:SecretStore"

AWS_STORE: Any = {"aws": {"region": "eu-central-1"}}
GOOGLE_STORE: Any = {"google": {"project": "plinth-123456"}}
SPACES: Any = {"namespaces": ["shop"]}

ADD_ONS: dict[str, tuple[Any, str, Mapping[str, Any]]] = {
    "aws-load-balancer-controller": (
        load_balancer.AwsLoadBalancerController,
        load_balancer.NAMESPACE,
        LOAD_BALANCERS,
    ),
    "cert-manager": (certificates.CertManager, certificates.NAMESPACE, {}),
    "cluster-autoscaler": (autoscaling.ClusterAutoscaler, autoscaling.NAMESPACE, NODES),
    "external-dns": (dns.ExternalDns, dns.NAMESPACE, ROUTE_53),
    "external-secrets": (secrets.ExternalSecrets, secrets.NAMESPACE, {"provider": AWS_STORE}),
    "metrics-server": (metrics.MetricsServer, metrics.NAMESPACE, {}),
    "reloader": (reloader.Reloader, reloader.NAMESPACE, SPACES),
    "sealed-secrets": (secrets.SealedSecrets, secrets.SEALED_NAMESPACE, SPACES),
}
"""The component of each chart, its namespace, and the least that it takes."""
LED = sorted(set(ADD_ONS) - {"external-dns", "sealed-secrets"})
"""Add-ons of which several pods can run."""
EVERY_ADD_ON = pytest.mark.parametrize("chart", sorted(ADD_ONS))

POD = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
CONTAINER = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
SECURITY: dict[str, list[tuple[str, str]]] = {
    "aws-load-balancer-controller": [("podSecurityContext", "securityContext")],
    "cert-manager": [
        (f"{part}securityContext", f"{part}containerSecurityContext")
        for part in ("", "webhook.", "cainjector.", "startupapicheck.")
    ],
    "cluster-autoscaler": [("securityContext", "containerSecurityContext")],
    "external-dns": [("podSecurityContext", "securityContext")],
    "external-secrets": [
        (f"{part}podSecurityContext", f"{part}securityContext") for part in ("", "webhook.", "certController.")
    ],
    "metrics-server": [("podSecurityContext", "securityContext")],
    "reloader": [("reloader.deployment.securityContext", "reloader.deployment.containerSecurityContext")],
    "sealed-secrets": [("podSecurityContext", "containerSecurityContext")],
}
"""Where each chart takes the security contexts of a pod and of its container, for each of its workloads."""
RESOURCES: dict[str, list[str]] = {
    "cert-manager": ["resources", "webhook.resources", "cainjector.resources", "startupapicheck.resources"],
    "external-secrets": ["resources", "webhook.resources", "certController.resources"],
    "reloader": ["reloader.deployment.resources"],
}
"""Where each chart takes what its containers need, if not at `resources` alone."""
ACCOUNTS = {
    "aws-load-balancer-controller": ("serviceAccount", load_balancer.SERVICE_ACCOUNT),
    "cluster-autoscaler": ("rbac.serviceAccount", autoscaling.SERVICE_ACCOUNT),
    "external-dns": ("serviceAccount", dns.SERVICE_ACCOUNT),
    "external-secrets": ("serviceAccount", secrets.SERVICE_ACCOUNT),
}
"""Where each chart whose pods have an identity in a cloud takes their service account, and how that is called."""


def made(make: Any, **args: Any) -> Plan:
    return planned(lambda opts: make("thing", args, in_cluster(opts)))


def refused(chart: str, **changes: Any) -> dict[str, str]:
    make, _, args = ADD_ONS[chart]
    return remedies(lambda: make("thing", {**args, **changes}))


def refused_release(**changes: Any) -> dict[str, str]:
    args: Any = {"chart": "reloader", "namespace": "somewhere", **changes}
    return remedies(lambda: HelmRelease("thing", args))


def add_on(chart: str, **changes: Any) -> Plan:
    make, _, args = ADD_ONS[chart]
    return made(make, **{**args, **changes})


def release(**args: Any) -> Any:
    return one(made(HelmRelease, **{"chart": "reloader", "namespace": "somewhere", **args}), RELEASE)


def values(chart: str, **changes: Any) -> Any:
    return one(add_on(chart, **changes), RELEASE)["values"]


def at(tree: Any, path: str) -> Any:
    for step in path.split("."):
        tree = tree[step]
    return tree


def policy(plan: Plan, role: str) -> Any:
    return one(plan, POLICY, f"thing-{role}")["spec"]


def blocks(rules: list[Any]) -> set[tuple[str, int]]:
    """The blocks of addresses that the rules name, with ports, but for those where names are resolved."""
    return {
        (end["ipBlock"]["cidr"], port["port"])
        for rule in rules
        for end in rule.get("to", [])
        if "ipBlock" in end
        for port in rule["ports"]
    } - {("169.254.20.10/32", 53), ("169.254.169.254/32", 53)}


def ports_for_everybody(rules: list[Any], way: str) -> set[int]:
    return {port["port"] for rule in rules if not rule.get(way) for port in rule["ports"]}


def before(plan: Plan, resource: Resource) -> set[tuple[str, str]]:
    """Type and name of all that a resource waits for."""
    return {(plan.resource(urn).type, plan.resource(urn).name) for urn in plan.waits_for(resource.urn)}


def output(plan: Plan, kind: str, name: str) -> Any:
    return next(each for each in plan.resources if each.type == f"plinth:index:{kind}").outputs[name]


def test_the_catalogue_is_sound() -> None:
    for name, chart in CHARTS.items():
        assert chart.name == name
        assert chart.version.removeprefix("v").count(".") == 2
        assert chart.repository.startswith(("https://", "oci://"))
        assert mirror_problem(chart.repository) is None
        assert chart.why.endswith(".")
        assert chart.images
        for image in chart.images:
            assert repository_of(image.repository) == image.repository
        assert "charts.bitnami.com" not in chart.repository
        assert "bitnamicharts" not in chart.repository


@EVERY_ADD_ON
def test_each_add_on_is_its_chart_in_the_version_of_the_catalogue(chart: str) -> None:
    inputs = one(add_on(chart), RELEASE)
    assert inputs["name"] == inputs["chart"] == chart
    assert inputs["version"] == CHARTS[chart].version
    assert inputs["repositoryOpts"] == {"repo": CHARTS[chart].repository}
    assert inputs["namespace"] == ADD_ONS[chart][1]


@EVERY_ADD_ON
def test_each_add_on_comes_from_a_mirror_where_there_is_one(chart: str) -> None:
    inputs = one(add_on(chart, mirror="/srv/charts"), RELEASE)
    assert inputs["chart"] == f"/srv/charts/{chart}-{CHARTS[chart].version}.tgz"
    assert "mirror" in refused(chart, mirror="http://charts.example.com")


IMAGES: dict[str, dict[str, str]] = {
    "aws-load-balancer-controller": {"image.repository": "public.ecr.aws/eks/aws-load-balancer-controller"},
    "cert-manager": {
        "image.repository": "quay.io/jetstack/cert-manager-controller",
        "webhook.image.repository": "quay.io/jetstack/cert-manager-webhook",
        "cainjector.image.repository": "quay.io/jetstack/cert-manager-cainjector",
        "acmesolver.image.repository": "quay.io/jetstack/cert-manager-acmesolver",
        "startupapicheck.image.repository": "quay.io/jetstack/cert-manager-startupapicheck",
    },
    "cluster-autoscaler": {"image.repository": "registry.k8s.io/autoscaling/cluster-autoscaler"},
    "external-dns": {"image.repository": "registry.k8s.io/external-dns/external-dns"},
    "external-secrets": {
        f"{pods}image.repository": "ghcr.io/external-secrets/external-secrets"
        for pods in ("", "webhook.", "certController.")
    },
    "metrics-server": {"image.repository": "registry.k8s.io/metrics-server/metrics-server"},
    "reloader": {"image.repository": "ghcr.io/stakater/reloader"},
    "sealed-secrets": {
        "image.registry": "ghcr.io",
        "image.repository": "bitnami-labs/sealed-secrets-controller",
    },
}
"""What each chart is told of its images, by the key of its values: each that its pods run."""
MIRRORS = {registry: f"mirror.example:5000/{registry.replace('.', '-')}" for registry in REGISTRIES}


@EVERY_ADD_ON
def test_each_add_on_is_told_where_its_images_are(chart: str) -> None:
    told = values(chart)
    assert {key: at(told, key) for key in IMAGES[chart]} == IMAGES[chart]
    # The version is the chart's, so that an upgrade of the chart is one of the image as well.
    assert "tag" not in told.get("image", {}) or chart == "cluster-autoscaler"


@EVERY_ADD_ON
def test_each_add_ons_images_come_from_mirrors_where_there_are_some(chart: str) -> None:
    told, plain = values(chart, images=MIRRORS), values(chart)
    for key, image in IMAGES[chart].items():
        registry, _, path = image.partition("/")
        if chart != "sealed-secrets":
            assert at(told, key) == f"mirror.example:5000/{registry.replace('.', '-')}/{path}"
    text = json.dumps(told)
    assert not [registry for registry in REGISTRIES if f'"{registry}' in text]
    assert at(told, "image") != at(plain, "image")
    assert told.keys() == plain.keys()
    assert values(chart, images={"docker.io": "mirror.example/hub"}) == plain


def test_a_registry_and_a_path_that_a_chart_takes_apart_are_one_image_in_a_mirror_too() -> None:
    told = values("sealed-secrets", images={"ghcr.io": "mirror.example/a/ghcr"})["image"]
    assert told == {"registry": "mirror.example", "repository": "a/ghcr/bitnami-labs/sealed-secrets-controller"}


def test_a_version_and_a_place_of_an_image_stand_beside_each_other() -> None:
    told = values("cluster-autoscaler", images=MIRRORS)["image"]
    assert told["repository"].startswith("mirror.example:5000/registry-k8s-io/")
    assert told["tag"].startswith("v1.35.")


def test_images_are_called_after_their_mirror() -> None:
    mirrors = {"docker.io": "europe-docker.pkg.dev/shop/docker-io"}
    assert mirrored(images.VALKEY, mirrors) == images.VALKEY.replace("docker.io", mirrors["docker.io"])
    assert mirrored("quay.io/a/b@sha256:0", mirrors) == "quay.io/a/b@sha256:0"
    assert mirrored("docker.iox/a", mirrors) == "docker.iox/a"
    assert mirrored(images.PSQL, None) == images.PSQL


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("docker.io/library/postgres:18", "docker.io/library/postgres"),
        ("mirror.example:5000/a/b", "mirror.example:5000/a/b"),
        ("mirror.example:5000/a/b:1.2@sha256:00", "mirror.example:5000/a/b"),
        ("ghcr.io/a/b@sha256:00", "ghcr.io/a/b"),
    ],
)
def test_an_image_without_its_version_is_a_repository(image: str, repository: str) -> None:
    assert repository_of(image) == repository


@pytest.mark.parametrize(
    ("mirrors", "remedy"),
    [
        ({"docker.com": "mirror.example/hub"}, "docker.com: no image comes from there; did you mean `docker.io`?"),
        ({"quay.io": "https://mirror.example/quay"}, "quay.io: leave out the scheme"),
        ({"quay.io": "mirror.example/quay/"}, "quay.io: leave out the slash"),
        ({"quay.io": "mirror/quay"}, "quay.io: write it as images begin"),
        ({"quay.io": "mirror.example/quay:v1"}, "quay.io: write it as images begin"),
        ({"quay.io": "Mirror.example/quay"}, "quay.io: write it as images begin"),
        ({"quay.io": ""}, "quay.io: write it as images begin"),
    ],
)
def test_bad_mirrors_of_images(mirrors: dict[str, str], remedy: str) -> None:
    for chart in ADD_ONS:
        assert refused(chart, images=mirrors)["images"].startswith(remedy)


@pytest.mark.parametrize("mirror", ["mirror.example", "localhost:5000", "localhost:5000/a", "a.example/b_c/d-e.f"])
def test_mirrors_of_images(mirror: str) -> None:
    assert images_problem(dict.fromkeys(REGISTRIES, mirror)) is None


def test_charts_come_from_registries_repositories_and_folders() -> None:
    def came(chart: str, mirror: str | None = None) -> tuple[str, Any, str]:
        inputs = release(chart=chart, **({"mirror": mirror} if mirror else {}))
        return inputs["chart"], inputs.get("repositoryOpts"), inputs["version"]

    assert came("gateway-helm") == ("oci://docker.io/envoyproxy/gateway-helm", None, "v1.9.0")
    assert came("gateway-helm", "https://charts.example.com/all") == (
        "gateway-helm",
        {"repo": "https://charts.example.com/all"},
        "v1.9.0",
    )
    assert came("reloader", "oci://registry.example.com:5000/charts") == (
        "oci://registry.example.com:5000/charts/reloader",
        None,
        CHARTS["reloader"].version,
    )
    assert came("cert-manager", "./charts") == ("./charts/cert-manager-v1.21.1.tgz", None, "v1.21.1")
    assert source(CHARTS["reloader"], "charts").chart == f"charts/reloader-{CHARTS['reloader'].version}.tgz"


@pytest.mark.parametrize(
    "mirror",
    [
        "oci://registry.example.com/charts",
        "oci://localhost:5000/a/b_c",
        "https://charts.example.com",
        "https://charts.example.com:8443/stable",
        "/srv/charts",
        "./charts",
        "../charts",
        "charts",
        "charts/v1.2",
    ],
)
def test_mirrors(mirror: str) -> None:
    assert mirror_problem(mirror) is None


@pytest.mark.parametrize(
    ("mirror", "remedy"),
    [
        ("", "oci://..."),
        (" /srv/charts", "no space"),
        ("http://charts.example.com", "not over http://"),
        ("file:///srv/charts", "not over file://"),
        ("oci://registry.example.com", "oci://<registry>/<path>"),
        ("oci://registry.example.com/charts:1.0", "oci://<registry>/<path>"),
        ("oci:///charts", "oci://<registry>/<path>"),
        ("https://", "slash"),
        ("https://charts.example.com/", "slash"),
        ("https://charts.example.com/index.yaml?a=b", "https://<host>/<path>"),
        ("https://someone:word@charts.example.com", "helm registry login"),
        ("/srv/charts/", "slash"),
        ("~/charts", "whole path"),
        ("registry.example.com/charts", "oci://registry.example.com/charts"),
        ("localhost:5000/charts", "oci://localhost:5000/charts"),
    ],
)
def test_bad_mirrors(mirror: str, remedy: str) -> None:
    assert remedy in (mirror_problem(mirror) or "")
    assert remedy in refused_release(mirror=mirror)["mirror"]


def test_a_chart_stands_in_the_catalogue() -> None:
    remedy = refused_release(chart="cert-manger")["chart"]
    assert "did you mean `cert-manager`?" in remedy
    assert all(name in remedy for name in CHARTS)


def test_half_a_release_is_none() -> None:
    inputs = release()
    assert inputs["atomic"] is inputs["cleanupOnFail"] is inputs["waitForJobs"] is True
    assert inputs["skipAwait"] is inputs["createNamespace"] is inputs["skipCrds"] is False
    assert inputs["timeout"] == 600
    assert inputs["maxHistory"] == 5
    assert release(timeout=30)["timeout"] == 30
    assert "1 or more" in refused_release(timeout=0)["timeout"]
    assert "DNS label" in refused_release(namespace="some where")["namespace"]


def test_values_that_are_taken_away_are_gone() -> None:
    inputs = release()
    assert inputs["values"] == {}
    assert inputs["resetValues"] is True


def test_values_may_be_known_later() -> None:
    """At every level: what a cluster is called is an output of it."""

    def make(opts: pulumi.ResourceOptions) -> None:
        late = {key: pulumi.Output.from_input(value) for key, value in LOAD_BALANCERS.items()}
        controller: Any = load_balancer.AwsLoadBalancerController
        controller("thing", late, in_cluster(opts))

    tree = one(planned(make), RELEASE)["values"]
    assert tree["clusterName"] == "shop"


def test_a_release_is_never_there_twice() -> None:
    """Cluster-wide objects of both would have the same names."""
    plan = made(HelmRelease, chart="reloader", namespace="somewhere")
    assert plan.of_type(RELEASE)[0].options["deleteBeforeReplace"] is True


@EVERY_ADD_ON
def test_each_add_on_is_ready_once_its_release_is_there(chart: str) -> None:
    make, namespace, args = ADD_ONS[chart]

    def make_two(opts: pulumi.ResourceOptions) -> None:
        opts = in_cluster(opts)
        first: Any = make("thing", args, opts)
        HelmRelease("late", {"chart": "reloader", "namespace": "late", "values": {"after": first.ready}}, opts)

    plan = planned(make_two)
    late = next(each for each in plan.of_type(RELEASE) if each.name == "late")
    assert (RELEASE, "thing") in before(plan, late)
    assert late.inputs["values"]["after"] == chart
    assert output(plan, make.__name__, "namespace") == namespace


@EVERY_ADD_ON
def test_each_namespace_admits_restricted_pods_alone_and_lets_nothing_through(chart: str) -> None:
    plan = add_on(chart)
    metadata = one(plan, NAMESPACE)["metadata"]
    assert metadata["name"] == ADD_ONS[chart][1]
    assert metadata["labels"] == {
        "app.kubernetes.io/name": chart,
        "app.kubernetes.io/part-of": "platform",
        "app.kubernetes.io/managed-by": "plinth",
        **{f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")},
    }
    denied = policy(plan, "default-deny")
    assert denied == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert {each.inputs["metadata"]["namespace"] for each in plan.of_type(POLICY)} == {ADD_ONS[chart][1]}


@EVERY_ADD_ON
def test_pods_start_once_their_traffic_is_let_through(chart: str) -> None:
    plan = add_on(chart)
    waits = before(plan, plan.of_type(RELEASE)[0])
    policies = {(POLICY, each.name) for each in plan.of_type(POLICY)}
    assert len(policies) > 1
    assert waits >= {(NAMESPACE, "thing"), *policies}


@EVERY_ADD_ON
def test_pods_resolve_names_and_reach_the_api_server(chart: str) -> None:
    plan = add_on(chart)
    for each in plan.of_type(POLICY):
        if each.name != "thing-default-deny":
            rules = each.inputs["spec"]["egress"]
            assert {443, 6443} <= ports_for_everybody(rules, "to")
            assert {port["port"] for port in rules[0]["ports"]} == {53}


@pytest.mark.parametrize(
    ("chart", "role", "called", "calls"),
    [
        ("aws-load-balancer-controller", "controller", {9443, 8080}, set()),
        ("cert-manager", "controller", {9402}, {80, 10080, 10443}),
        ("cert-manager", "webhook", {10250, 9402}, set()),
        ("cert-manager", "injector", {9402}, set()),
        ("cert-manager", "start-check", set(), set()),
        ("cluster-autoscaler", "controller", {8085}, set()),
        ("external-dns", "controller", {7979}, set()),
        ("external-secrets", "controller", {8080}, set()),
        ("external-secrets", "webhook", {10250, 8080}, set()),
        ("external-secrets", "cert-controller", {8080}, set()),
        ("metrics-server", "server", {10250}, {10250}),
        ("reloader", "controller", {9090}, set()),
        ("sealed-secrets", "controller", {8443, 8081}, set()),
    ],
)
def test_who_is_called_at_which_ports(chart: str, role: str, called: set[int], calls: set[int]) -> None:
    spec = policy(add_on(chart), role)
    assert ports_for_everybody(spec["ingress"], "from") == called
    assert not [rule for rule in spec["ingress"] if rule.get("from")]
    assert ports_for_everybody(spec["egress"], "to") == {443, 6443, *calls}


def test_pods_get_their_identity_where_their_cloud_has_it() -> None:
    pod_identity = {("169.254.170.23/32", 80)}
    metadata = {("169.254.169.254/32", port) for port in (80, 8080)}
    metadata |= {("169.254.169.252/32", port) for port in (987, 988)}

    def ways(chart: str, **changes: Any) -> set[tuple[str, int]]:
        return blocks(policy(add_on(chart, **changes), "controller")["egress"])

    assert ways("aws-load-balancer-controller") == ways("cluster-autoscaler") == pod_identity
    assert ways("external-dns") == ways("external-secrets") == pod_identity
    assert ways("external-dns", provider=CLOUD_DNS["provider"]) == metadata
    assert ways("external-secrets", provider=GOOGLE_STORE) == metadata
    for chart in ("cert-manager", "reloader", "sealed-secrets"):
        assert ways(chart) == set()
    assert blocks(policy(add_on("external-secrets"), "webhook")["egress"]) == set()


@EVERY_ADD_ON
def test_every_pod_is_restricted(chart: str) -> None:
    tree = values(chart)
    for pod, container in SECURITY[chart]:
        assert at(tree, pod).items() >= POD.items()
        assert at(tree, container).items() >= CONTAINER.items()


@EVERY_ADD_ON
def test_every_container_says_what_it_needs(chart: str) -> None:
    for path in RESOURCES.get(chart, ["resources"]):
        needs = at(values(chart), path)
        assert set(needs) == {"requests", "limits"}
        assert all(set(needs[kind]) == {"cpu", "memory"} for kind in needs)


@pytest.mark.parametrize("chart", sorted(ACCOUNTS))
def test_annotations_reach_the_service_account(chart: str) -> None:
    path, name = ACCOUNTS[chart]
    assert at(values(chart), path) == {"create": True, "name": name, "annotations": {}}
    assert at(values(chart, service_account_annotations=ACCOUNT), path)["annotations"] == ACCOUNT


@pytest.mark.parametrize("chart", LED)
def test_two_pods_of_which_one_may_go(chart: str) -> None:
    def pods(**changes: Any) -> dict[str, Any]:
        tree = values(chart, **changes)
        deployment = tree["reloader"]["deployment"] if chart == "reloader" else tree
        holder = tree["reloader"] if chart == "reloader" else tree
        count = deployment.get("replicaCount", deployment.get("replicas"))
        return {"pods": count, "budget": holder["podDisruptionBudget"]}

    made_bare = pods()
    assert made_bare["pods"] == 2
    assert made_bare["budget"]["maxUnavailable"] == 1
    assert made_bare["budget"].get("enabled", True) is True
    assert pods(replicas=1)["pods"] == 1
    assert "1 to 5" in refused(chart, replicas=0)["replicas"]


@pytest.mark.parametrize("part", ["webhook", "cainjector"])
def test_one_of_two_pods_that_certificates_need_may_go(part: str) -> None:
    tree = values("cert-manager")[part]
    assert tree["replicaCount"] == 2
    assert tree["podDisruptionBudget"] == {"enabled": True, "maxUnavailable": 1}
    assert values("cert-manager", replicas=1)[part]["podDisruptionBudget"]["enabled"] is False


@pytest.mark.parametrize(
    ("chart", "paths"),
    [
        ("cert-manager", ["global"]),
        ("external-dns", [""]),
        ("external-secrets", ["", "webhook", "certController"]),
        ("reloader", ["reloader.deployment"]),
        ("sealed-secrets", [""]),
    ],
)
def test_a_priority_class_is_that_of_every_pod(chart: str, paths: list[str]) -> None:
    for path in paths:
        key = f"{path}.priorityClassName".strip(".")
        assert at(values(chart, priority_class="platform"), key) == "platform"
        with pytest.raises(KeyError):
            at(values(chart), key)


def test_load_balancers_are_made_without_an_instances_metadata() -> None:
    tree = values("aws-load-balancer-controller")
    assert {key: tree[key] for key in ("clusterName", "region", "vpcId")} == {
        "clusterName": "shop",
        "region": "eu-central-1",
        "vpcId": "vpc-1",
    }


def test_load_balancers_are_internal_and_of_services_alone() -> None:
    tree = values("aws-load-balancer-controller")
    assert tree["defaultLoadBalancerScheme"] == "internal"
    assert tree["defaultTargetType"] == "ip"
    for part in ("enableShield", "enableWaf", "enableWafv2", "createIngressClassResource"):
        assert tree[part] is False
    # Neither another Gateway API, nor what its role has no right to ask.
    gates = ("ALBGatewayAPI", "NLBGatewayAPI", "LBCapacityReservation")
    assert tree["controllerConfig"]["featureGates"] == dict.fromkeys(gates, False)


def test_the_webhook_of_services_keeps_its_certificate() -> None:
    assert values("aws-load-balancer-controller")["keepTLSSecret"] is True


def test_what_the_controller_makes_is_tagged() -> None:
    assert values("aws-load-balancer-controller", tags={"system": "shop"})["defaultTags"] == {"system": "shop"}
    problems = refused("aws-load-balancer-controller", tags={"a=b": "c", "d": "e,f", "g": "h=i"})
    assert set(problems) == {"tags.a=b", "tags.d"}


def certificate_plan(**args: Any) -> Plan:
    return made(certificates.CertManager, **args)


def test_kinds_of_certificates_come_and_go_with_the_release() -> None:
    tree = values("cert-manager")
    assert tree["crds"] == {"enabled": True, "keep": False}
    assert tree["config"] == {"gatewayAPI": {"enabled": True}}
    assert tree["global"]["leaderElection"] == {"namespace": "cert-manager"}


def test_issuers_wait_until_cert_manager_answers() -> None:
    plan = certificate_plan(acme=ACME)
    late = plan.of_type(ISSUER, CERTIFICATE)
    assert len(late) == 4
    for each in late:
        assert (RELEASE, "thing") in before(plan, each), each.name


def test_an_authority_inside_signs_itself_and_then_others() -> None:
    plan = certificate_plan()
    issuers = {each.inputs["metadata"]["name"]: each for each in plan.of_type(ISSUER)}
    assert set(issuers) == {"self-signed", "internal-ca"}
    authority = plan.of_type(CERTIFICATE)[0]
    assert authority.inputs["metadata"]["namespace"] == "cert-manager"
    spec = authority.inputs["spec"]
    assert spec["isCA"] is True
    assert spec["issuerRef"] == {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": "self-signed"}
    assert issuers["internal-ca"].inputs["spec"] == {"ca": {"secretName": spec["secretName"]}}
    assert (ISSUER, "thing-self-signed") in before(plan, authority)
    assert (CERTIFICATE, authority.name) in before(plan, issuers["internal-ca"])


def test_an_authority_keeps_its_key() -> None:
    """Else what it signed before is trusted no more."""
    assert one(certificate_plan(), CERTIFICATE)["spec"]["privateKey"]["rotationPolicy"] == "Never"


def test_lets_encrypt_asks_by_way_of_the_gateway() -> None:
    acme = one(certificate_plan(acme=ACME), ISSUER, "thing-acme")
    assert acme["metadata"]["name"] == "letsencrypt-prod"
    spec = acme["spec"]["acme"]
    assert spec["server"] == "https://acme-v02.api.letsencrypt.org/directory"
    assert spec["email"] == "certificates@example.com"
    (solver,) = spec["solvers"]
    route = solver["http01"]["gatewayHTTPRoute"]
    assert route["parentRefs"] == [
        {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "gateway", "namespace": "gateways"}
    ]
    assert route["podTemplate"]["spec"]["securityContext"] == POD


def test_another_authority_may_be_asked_and_told_nothing() -> None:
    changed = {"gateway": "gateway", "gateway_namespace": "gateways", "server": "https://acme.example.com/directory"}
    spec = one(certificate_plan(acme=changed), ISSUER, "thing-acme")["spec"]["acme"]
    assert spec["server"] == "https://acme.example.com/directory"
    assert "email" not in spec


def test_without_the_world_the_issuer_is_the_one_inside() -> None:
    assert output(certificate_plan(), "CertManager", "issuer") == "internal-ca"
    plan = certificate_plan(acme=ACME)
    assert output(plan, "CertManager", "issuer") == "letsencrypt-prod"
    assert output(plan, "CertManager", "internalIssuer") == "internal-ca"


def test_records_of_one_zone_follow_routes() -> None:
    tree = values("external-dns")
    assert tree["provider"] == {"name": "aws"}
    assert tree["extraArgs"]["zone-id-filter"] == "Z0123456789ABC"
    assert {each["name"]: each["value"] for each in tree["env"]} == {
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    assert tree["sources"] == ["gateway-httproute"]
    assert (tree["policy"], tree["registry"], tree["txtOwnerId"]) == ("sync", "txt", "shop-dev")
    assert tree["interval"] == "1m"
    google = values("external-dns", **CLOUD_DNS)
    assert google["provider"] == {"name": "google"}
    assert google["extraArgs"].items() >= {"zone-id-filter": "example-com", "google-project": "plinth-123456"}.items()
    assert google["gatewayNamespace"] == "gateways"
    assert google["interval"] == "5m"


def passes(tree: dict[str, Any], zone: str, record: str) -> bool:
    """Whether external-dns looks at a zone, and at a record in it. It asks its filter about the names of both."""
    more = tree["extraArgs"]
    if pattern := more.get("regex-domain-filter"):
        assert "domainFilters" not in tree
        return bool(re.fullmatch(pattern, zone) and re.fullmatch(pattern, record))

    def within(name: str, others: list[str]) -> bool:
        return any(name == each or name.endswith(f".{each}") for each in others)

    of_zone = more["aws-zone-match-parent"] and any(each.endswith(f".{zone}") for each in tree["domainFilters"])
    return (of_zone or within(zone, tree["domainFilters"])) and within(record, tree["domainFilters"])


@pytest.mark.parametrize("provider", [ROUTE_53, CLOUD_DNS], ids=["route53", "clouddns"])
def test_a_zone_may_be_of_the_domain_or_of_any_above_it(provider: dict[str, Any]) -> None:
    tree = values("external-dns", **{**provider, "domains": ["api.dev.example.com", "example.org"]})
    for zone in ("api.dev.example.com", "dev.example.com", "example.com"):
        assert passes(tree, zone, "api.dev.example.com")
        assert passes(tree, zone, "owner-a.api.dev.example.com")
        assert passes(tree, zone, "v2.api.dev.example.com")
        assert not passes(tree, zone, "web.dev.example.com")
    assert passes(tree, "example.org", "example.org")
    for other in ("other.com", "my-example.com", "apixdev.example.com", "web.dev.example.com"):
        assert not passes(tree, other, "api.dev.example.com")


def test_owners_of_a_domain_itself_stay_in_its_zone() -> None:
    prefix = values("external-dns")["txtPrefix"]
    assert "%{record_type}" in prefix
    assert prefix.endswith(".")


def test_a_kind_that_nobody_reads_is_left_out() -> None:
    assert one(add_on("external-dns"), RELEASE)["skipCrds"] is True
    for chart in set(ADD_ONS) - {"external-dns"}:
        assert one(add_on(chart), RELEASE)["skipCrds"] is False


def test_bad_zones_are_refused() -> None:
    both = {**ROUTE_53["provider"], **CLOUD_DNS["provider"]}
    assert "two clouds" in refused("external-dns", provider=both)["provider"]
    problems = refused("external-dns", provider={}, domains=["Example.com.", "example.com"])
    assert "names no cloud" in problems["provider"]
    assert set(problems) == {"provider", "domains[0]"}
    assert "whole zone" in refused("external-dns", domains=[])["domains"]
    assert set(refused("external-dns", owner="shop dev", interval="often")) == {"owner", "interval"}


def test_secrets_are_brought_by_namespace_alone() -> None:
    tree = values("external-secrets")
    assert tree["installCRDs"] is True
    assert tree["leaderElect"] is True
    for kind in ("ClusterStore", "ClusterExternalSecret", "ClusterPushSecret", "ClusterGenerator", "PushSecret"):
        assert tree[f"process{kind}"] is False
        assert tree["crds"][f"create{kind.replace('ClusterStore', 'ClusterSecretStore')}"] is False
    assert tree["rbac"]["serviceAccountTokenCreate"] is False


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        (AWS_STORE, {"aws": {"service": "SecretsManager", "region": "eu-central-1"}}),
        (GOOGLE_STORE, {"gcpsm": {"projectID": "plinth-123456"}}),
    ],
)
def test_a_store_is_read_by_the_controller_as_itself(provider: Any, expected: Any) -> None:
    plan = made(secrets.ExternalSecretStore, namespace="shop", provider=provider)
    store = one(plan, STORE)
    assert store["metadata"].items() >= {"name": "thing", "namespace": "shop"}.items()
    assert store["spec"] == {"provider": expected}
    assert output(plan, "ExternalSecretStore", "store") == "thing"


def test_a_store_waits_for_the_add_on() -> None:
    def make(opts: pulumi.ResourceOptions) -> None:
        opts = in_cluster(opts)
        operator = secrets.ExternalSecrets("thing", {"provider": AWS_STORE}, opts)
        later = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[operator]))
        secrets.ExternalSecretStore("store", {"namespace": "shop", "provider": AWS_STORE}, later)

    plan = planned(make)
    assert (RELEASE, "thing") in before(plan, plan.of_type(STORE)[0])


def test_bad_stores_are_refused() -> None:
    both = {**AWS_STORE, **GOOGLE_STORE}
    assert "two clouds" in refused("external-secrets", provider=both)["provider"]

    def store(name: str, provider: Any) -> dict[str, str]:
        return remedies(lambda: secrets.ExternalSecretStore(name, {"namespace": "shop", "provider": provider}))

    assert "names no cloud" in store("store", {})["provider"]
    assert "DNS label" in store("Store", AWS_STORE)["name"]


def test_sealed_secrets_are_opened_in_given_namespaces_alone() -> None:
    tree = values("sealed-secrets")
    assert tree["additionalNamespaces"] == ["sealed-secrets", "shop"]
    assert tree["rbac"]["clusterRole"] is False
    assert tree["rbac"]["namespacedRoles"] is True
    assert tree["rbac"]["serviceProxier"]["bind"] is False
    assert "one namespace" in refused("sealed-secrets", namespaces=[])["namespaces"]


def test_there_is_a_new_key_to_seal_with_every_month() -> None:
    assert values("sealed-secrets")["keyrenewperiod"] == "720h"
    assert values("sealed-secrets", key_days=7)["keyrenewperiod"] == "168h"
    assert "1 to 365" in refused("sealed-secrets", key_days=0)["key_days"]


def test_the_metrics_server_and_kubelets_are_known_by_certificates() -> None:
    tree = values("metrics-server")
    assert tree["args"] == []
    assert tree["apiService"] == {"insecureSkipTLSVerify": False}
    assert tree["tls"]["type"] == "helm"
    assert tree["tls"]["helm"]["lookup"] is True
    assert values("metrics-server", any_kubelet=True)["args"] == ["--kubelet-insecure-tls"]


def test_nodes_are_scaled_by_an_autoscaler_of_the_clusters_version() -> None:
    tree = values("cluster-autoscaler")
    assert tree["autoDiscovery"] == {"clusterName": "shop"}
    assert tree["awsRegion"] == "eu-central-1"
    assert tree["image"]["tag"].startswith("v1.35.")
    assert values("cluster-autoscaler", version="1.36")["image"]["tag"].startswith("v1.36.")
    assert "1.35, 1.36" in refused("cluster-autoscaler", version="1.34")["version"]


def test_nodes_are_scaled_sparingly_and_evenly() -> None:
    arguments = values("cluster-autoscaler")["extraArgs"]
    assert arguments["expander"] == "least-waste"
    assert arguments["balance-similar-node-groups"] is True
    assert arguments["skip-nodes-with-local-storage"] is False


def test_pods_are_replaced_in_given_namespaces_alone() -> None:
    tree = values("reloader")["reloader"]
    assert tree["watchGlobally"] is False
    assert tree["namespaces"] == ["shop"]
    assert tree["reloadStrategy"] == "annotations"
    assert tree["enableHA"] is True
    assert values("reloader", replicas=1)["reloader"]["enableHA"] is False
    assert "one namespace" in refused("reloader", namespaces=[])["namespaces"]


def test_a_namespace_may_be_called_otherwise_than_its_component() -> None:
    assert one(made(KubernetesNamespace, name="shop"), NAMESPACE)["metadata"]["name"] == "shop"
    assert "DNS label" in remedies(lambda: KubernetesNamespace("thing", {"name": "Shop"}))["name"]


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public", "kube-node-lease"])
def test_a_namespace_is_none_of_the_clusters_own(name: str) -> None:
    found = remedies(lambda: KubernetesNamespace("thing", {"name": name, "labels": {"a b": "x", "tier": "a b"}}))
    assert "the cluster's own" in found["name"]
    assert set(found) == {"name", "labels.a b", "labels.tier"}
