"""The way into a cluster."""

from typing import Any

import pytest

from components.platform.charts import CHARTS
from components.platform.gateway import EnvoyGateway, Exposure, KubernetesGateway, listener_name
from policy.catalogue import judge
from preview.plan import Plan, Resource
from preview.record import Answer

from ..support import known, one, planned, remedies
from .examples.gateway import CONTROLLER, GATEWAY, GATEWAY_FULL, GATEWAY_LAPTOP
from .examples.shared import in_cluster

CLASS = "kubernetes:gateway.networking.k8s.io/v1:GatewayClass"
GATEWAY_KIND = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
PROXY = "kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyProxy"
LIMITS = "kubernetes:gateway.envoyproxy.io/v1alpha1:ClientTrafficPolicy"
CERTIFICATE = "kubernetes:cert-manager.io/v1:Certificate"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
RELEASE = "kubernetes:helm.sh/v3:Release"
NAMESPACE = "kubernetes:core/v1:Namespace"

EVERYBODY: dict[str, Any] = {}
PODS = {
    "app.kubernetes.io/name": "envoy",
    "app.kubernetes.io/component": "proxy",
    "app.kubernetes.io/managed-by": "envoy-gateway",
    "gateway.envoyproxy.io/owning-gateway-name": "public",
}


def controller(base: Any = None, **changes: Any) -> Plan:
    args: Any = {**(base or {}), **changes}
    return planned(lambda opts: EnvoyGateway("eg", args, in_cluster(opts)))


def values(plan: Plan) -> dict[str, Any]:
    return one(plan, RELEASE)["values"]


def gateway(base: Any = GATEWAY, answer: Answer | None = known, **changes: Any) -> Plan:
    args: Any = {**base, **changes}
    return planned(lambda opts: KubernetesGateway("public", args, in_cluster(opts)), answer)


def refused(base: Any = GATEWAY, name: str = "public", **changes: Any) -> dict[str, str]:
    args: Any = {**base, **changes}
    return remedies(lambda: KubernetesGateway(name, args))


def outputs(plan: Plan, kind: str = "KubernetesGateway") -> dict[str, Any]:
    return next(each for each in plan.resources if each.type == f"plinth:index:{kind}").outputs


def listeners(plan: Plan) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in one(plan, GATEWAY_KIND)["spec"]["listeners"]}


def proxies(plan: Plan) -> dict[str, Any]:
    return one(plan, PROXY)["spec"]


def kubernetes(plan: Plan) -> dict[str, Any]:
    return proxies(plan)["provider"]["kubernetes"]


def limits(plan: Plan) -> dict[str, Any]:
    return one(plan, LIMITS, "public")["spec"]


def policy(plan: Plan, name: str) -> dict[str, Any]:
    return one(plan, POLICY, name)["spec"]


def awaited(plan: Plan, resource: Resource) -> set[str]:
    """Types and names of what a resource waits for."""
    return {f"{plan.resource(urn).type} {plan.resource(urn).name}" for urn in plan.waits_for(resource.urn)}


# --- Envoy Gateway


@pytest.mark.parametrize("base", [{}, CONTROLLER], ids=["bare", "full"])
def test_the_controller_breaks_no_rule(base: Any) -> None:
    assert [finding for finding in judge(controller(base)) if not finding.rule.startswith("provider-")] == []


def test_the_class_is_made_once_the_release_is_ready_and_the_release_once_its_pods_may_speak() -> None:
    plan = controller()
    (made,) = plan.of_type(CLASS)
    assert f"{RELEASE} eg" in awaited(plan, made)
    (release,) = plan.of_type(RELEASE)
    assert {f"{NAMESPACE} eg", f"{POLICY} eg-controller", f"{POLICY} eg-certificates"} <= awaited(plan, release)


def test_the_class_is_envoy_gateways_and_waited_for() -> None:
    made = one(controller(), CLASS)
    assert made["spec"] == {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"}
    assert made["metadata"]["name"] == "envoy-gateway"
    assert made["metadata"]["annotations"] == {"pulumi.com/waitFor": "condition=Accepted"}


def test_what_a_gateway_is_given_of_the_controller_comes_after_the_class() -> None:
    """Whoever uses the namespace or the class waits for both, so that its kinds are known to the cluster."""

    def program(opts: Any) -> None:
        inside = in_cluster(opts)
        eg = EnvoyGateway("eg", {}, inside)
        args: Any = {**GATEWAY, "namespace": eg.namespace, "gateway_class": eg.gateway_class}
        KubernetesGateway("public", args, inside)

    plan = planned(program)
    for kind in (CERTIFICATE, PROXY, LIMITS, GATEWAY_KIND, ROUTE):
        for resource in plan.of_type(kind):
            assert {f"{CLASS} eg", f"{RELEASE} eg"} <= awaited(plan, resource), kind


def test_the_namespace_takes_restricted_pods_only() -> None:
    labels = one(controller(), NAMESPACE)["metadata"]["labels"]
    assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "audit", "warn")} == {"restricted"}
    assert one(controller(), NAMESPACE)["metadata"]["name"] == "envoy-gateway-system"


def test_the_controller_serves_proxies_and_speaks_with_the_api_server() -> None:
    spec = policy(controller(), "eg-controller")
    assert spec["podSelector"] == {"matchLabels": {"control-plane": "envoy-gateway"}}
    proxies, metrics = spec["ingress"]
    assert [port["port"] for port in proxies["ports"]] == [18000]
    assert proxies["from"] == [
        {
            "podSelector": {
                "matchLabels": {
                    "app.kubernetes.io/component": "proxy",
                    "app.kubernetes.io/managed-by": "envoy-gateway",
                }
            }
        }
    ]
    assert [port["port"] for port in metrics["ports"]] == [19001]
    assert [port["port"] for rule in spec["egress"] for port in rule["ports"]] == [53, 53, 443, 6443]
    assert policy(controller(), "eg-certificates")["ingress"] == []


def test_the_chart_brings_its_kinds_and_the_guard_of_their_versions_unless_the_cluster_has_them() -> None:
    for brought in (True, False):
        plan = controller(gateway_api_crds=brought)
        assert one(plan, RELEASE)["skipCrds"] is False
        assert values(plan)["crds"] == {"enabled": True, "gatewayAPI": {"safeUpgradePolicy": {"enabled": brought}}}
    assert values(controller())["crds"]["gatewayAPI"]["safeUpgradePolicy"]["enabled"] is True


def test_the_chart_of_the_kinds_alone_is_no_release() -> None:
    """It is larger than the Secret in which Helm keeps a release: the API server refuses it."""
    assert [each.inputs["name"] for each in controller().of_type(RELEASE)] == ["gateway-helm"]
    assert one(controller(), RELEASE)["version"] == CHARTS["gateway-helm"].version


def test_the_controller_has_no_webhook_and_outlives_a_node() -> None:
    set_ = values(controller())
    assert set_["topologyInjector"] == {"enabled": False}
    assert set_["deployment"]["replicas"] == 2
    assert set_["podDisruptionBudget"] == {"maxUnavailable": 1}
    assert "priorityClassName" not in set_["deployment"]
    for made in (set_["deployment"]["envoyGateway"], set_["certgen"]["job"]):
        assert set(made["resources"]["limits"]) == {"cpu", "memory"}
    full = controller(CONTROLLER)
    assert values(full)["deployment"]["replicas"] == 3
    assert values(full)["deployment"]["priorityClassName"] == "cluster-services"
    assert one(full, RELEASE)["chart"] == "oci://registry.example/charts/gateway-helm"


def test_images_come_from_mirrors_where_there_are_some() -> None:
    """The proxies' companion is the controller's image. Envoy Gateway and its chart add the versions."""
    for mirrors, place in (({}, "docker.io"), ({"docker.io": "mirror.example/hub"}, "mirror.example/hub")):
        told = values(controller(images=mirrors))
        assert told["deployment"]["envoyGateway"]["image"] == {"repository": f"{place}/envoyproxy/gateway"}
        assert told["global"]["images"] == {
            "envoyProxy": {"image": f"{place}/envoyproxy/envoy"},
            "ratelimit": {"image": f"{place}/envoyproxy/ratelimit"},
        }
        container = kubernetes(gateway(images=mirrors))["envoyDeployment"]["container"]
        assert container["imageRepository"] == f"{place}/envoyproxy/envoy"
    assert refused(images={"docker.com": "mirror.example"})["images"].startswith("docker.com: no image")


def test_bad_args_of_the_controller_are_refused() -> None:
    args: Any = {"replicas": 0, "mirror": "ftp://charts"}
    found = remedies(lambda: EnvoyGateway("eg", args))
    assert found["replicas"] == "give 1 to 5 pods"
    assert "not over ftp" in found["mirror"]


# --- The gateway


@pytest.mark.parametrize("base", [GATEWAY, GATEWAY_FULL, GATEWAY_LAPTOP], ids=["bare", "full", "laptop"])
def test_a_gateway_breaks_no_rule(base: Any) -> None:
    assert [finding for finding in judge(gateway(base)) if not finding.rule.startswith("provider-")] == []


def test_each_host_has_a_listener_over_tls_with_a_certificate_of_its_own() -> None:
    plan = gateway(hosts=["api.example.org", "*.shop.example.org"])
    found = listeners(plan)
    assert list(found) == ["http", "https-api.example.org", "https-any.shop.example.org"]
    for host, key in (("api.example.org", "api.example.org"), ("*.shop.example.org", "any.shop.example.org")):
        name = f"public.{key}"
        listener = found[listener_name(host)]
        assert (listener["hostname"], listener["port"], listener["protocol"]) == (host, 443, "HTTPS")
        assert listener["tls"] == {
            "mode": "Terminate",
            "certificateRefs": [{"group": "", "kind": "Secret", "name": name}],
        }
        made = one(plan, CERTIFICATE, f"public-{key}")
        certificate = made["spec"]
        assert made["metadata"]["name"] == name
        assert (certificate["dnsNames"], certificate["secretName"]) == ([host], name)
        assert certificate["issuerRef"] == {
            "group": "cert-manager.io",
            "kind": "ClusterIssuer",
            "name": "letsencrypt-prod",
        }
        assert certificate["privateKey"] == {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"}
        assert outputs(plan)["certificates"][host] == name
        assert outputs(plan)["listeners"][host] == listener["name"]


def test_a_certificate_is_waited_for_after_all_that_a_challenge_needs() -> None:
    """The gateway without TLS, the policies around it, and the redirects, for whose hosts DNS records are made."""
    plan = gateway(hosts=["api.example.org", "www.example.org"])
    before = {each.urn for each in plan.of_type(GATEWAY_KIND, ROUTE, POLICY)}
    assert len(before) == 1 + 2 + 2
    for certificate in plan.of_type(CERTIFICATE):
        assert before <= plan.waits_for(certificate.urn)
        assert certificate.inputs["metadata"]["annotations"] == {
            "pulumi.com/waitFor": "condition=Ready",
            "pulumi.com/timeoutSeconds": "1800",
        }
        # Neither the gateway's name nor anything else is known later because of it.
        assert all(certificate.urn not in plan.waits_for(each.urn) for each in plan.resources)


def test_how_long_certificates_are_waited_for_is_a_choice() -> None:
    made = one(gateway(certificate_seconds=60), CERTIFICATE)
    assert made["metadata"]["annotations"]["pulumi.com/timeoutSeconds"] == "60"
    assert "annotations" not in one(gateway(certificate_seconds=0), CERTIFICATE)["metadata"]


def test_a_gateway_of_tls_alone_starts_with_its_certificates() -> None:
    """None of its listeners is ready without one, and then there is no proxy."""
    plan = gateway(http_port=0)
    (certificate,), (made,) = plan.of_type(CERTIFICATE), plan.of_type(GATEWAY_KIND)
    assert certificate.urn in plan.waits_for(made.urn)


def test_a_gateway_without_hosts_answers_for_any() -> None:
    plan = gateway(GATEWAY_LAPTOP)
    assert list(listeners(plan)) == ["https"]
    assert "hostname" not in listeners(plan)["https"]
    certificate = one(plan, CERTIFICATE, "public")["spec"]
    assert certificate["issuerRef"]["name"] == "internal-ca"
    assert certificate["dnsNames"] == [
        "localhost",
        "public.envoy-gateway-system",
        "public.envoy-gateway-system.svc",
        "public.envoy-gateway-system.svc.cluster.local",
    ]
    assert outputs(plan)["certificates"] == {"*": "public"}
    assert outputs(plan)["listeners"] == {"*": "https"}
    assert listener_name("") == "https"


def test_routes_are_taken_from_the_named_namespaces_over_tls_and_from_its_own_without() -> None:
    found = listeners(gateway(routes_from=["shop", "depot"]))
    allowed = found["https-api.example.org"]["allowedRoutes"]
    assert allowed["namespaces"] == {
        "from": "Selector",
        "selector": {
            "matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["shop", "depot"]}]
        },
    }
    assert [kind["kind"] for kind in allowed["kinds"]] == ["HTTPRoute", "GRPCRoute"]
    assert found["http"]["allowedRoutes"] == {
        "namespaces": {"from": "Same"},
        "kinds": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"}],
    }


def test_plain_requests_are_sent_to_tls_once_the_gateway_is_there() -> None:
    plan = gateway(hosts=["api.example.org", "*.shop.example.org"])
    routes = plan.of_type(ROUTE)
    # One for each host: a challenge's route is for a host as well, and hides what is for any.
    assert [route.inputs["spec"]["hostnames"] for route in routes] == [["*.shop.example.org"], ["api.example.org"]]
    for route in routes:
        spec = route.inputs["spec"]
        assert [(each["kind"], each["name"], each["sectionName"]) for each in spec["parentRefs"]] == [
            ("Gateway", "public", "http")
        ]
        (rule,) = spec["rules"]
        # As little specific as can be: the exact path of a challenge comes first.
        assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
        assert rule["filters"] == [
            {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}
        ]
        assert f"{GATEWAY_KIND} public" in awaited(plan, route)


def test_a_redirect_names_the_port_where_it_is_another_one() -> None:
    (route,) = gateway(GATEWAY_FULL, hosts=["api.example.org"]).of_type(ROUTE)
    assert route.inputs["spec"]["rules"][0]["filters"][0]["requestRedirect"]["port"] == 8443


def test_without_a_plain_port_there_is_nothing_plain() -> None:
    plan = gateway(http_port=0)
    assert "http" not in listeners(plan)
    assert plan.of_type(ROUTE) == []
    assert [each.name for each in plan.of_type(LIMITS)] == ["public"]
    assert policy(plan, "public")["ingress"][0]["ports"] == [
        {"port": port, "protocol": "TCP"} for port in (10443, 19001)
    ]


def test_no_proxy_starts_open_or_without_limits() -> None:
    plan = gateway()
    (made,) = plan.of_type(GATEWAY_KIND)
    assert {
        f"{PROXY} public",
        f"{LIMITS} public",
        f"{LIMITS} public-plain",
        f"{POLICY} public",
        f"{POLICY} public-challenges",
    } <= awaited(plan, made)
    assert made.inputs["spec"]["infrastructure"]["parametersRef"] == {
        "group": "gateway.envoyproxy.io",
        "kind": "EnvoyProxy",
        "name": "public",
    }


def test_the_gateway_is_there_once_it_is_reached() -> None:
    plan = gateway(annotations={"external-dns.alpha.kubernetes.io/target": "gateway.example.org"})
    assert one(plan, GATEWAY_KIND)["metadata"]["annotations"] == {
        "external-dns.alpha.kubernetes.io/target": "gateway.example.org",
        "pulumi.com/waitFor": "condition=Programmed",
        "pulumi.com/timeoutSeconds": "600",
    }
    assert outputs(plan).items() >= {"gateway": "public", "namespace": "envoy-gateway-system", "pods": PODS}.items()


def test_a_proxy_is_nobody_and_writes_to_its_scratch_volume_alone() -> None:
    deployment = kubernetes(gateway())["envoyDeployment"]
    pod, container = deployment["pod"], deployment["container"]
    assert pod["securityContext"].items() >= {"runAsNonRoot": True, "runAsUser": 65532}.items()
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert [volume["name"] for volume in pod["volumes"]] == ["tmp"]
    scratch = [{"name": "tmp", "mountPath": "/tmp"}]
    assert container["volumeMounts"] == scratch
    # The companion has the same root, and notes there that the proxy has drained.
    (companion,) = deployment["patch"]["value"]["spec"]["template"]["spec"]["containers"]
    assert (companion["name"], companion["volumeMounts"]) == ("shutdown-manager", scratch)
    assert set(companion["resources"]["limits"]) == {"cpu", "memory"}


def test_proxies_follow_their_load_and_leave_one_at_a_time() -> None:
    made = kubernetes(gateway())
    assert "replicas" not in made["envoyDeployment"]
    assert (made["envoyHpa"]["minReplicas"], made["envoyHpa"]["maxReplicas"]) == (2, 8)
    (metric,) = made["envoyHpa"]["metrics"]
    assert metric["containerResource"] == {
        "name": "cpu",
        "container": "envoy",
        "target": {"type": "Utilization", "averageUtilization": 70},
    }
    assert made["envoyPDB"]["maxUnavailable"] == 1
    assert made["envoyDeployment"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    spread = made["envoyDeployment"]["pod"]["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in spread] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    assert all(each["labelSelector"] == {"matchLabels": PODS} for each in spread)
    assert proxies(gateway())["shutdown"] == {"drainTimeout": "120s", "minDrainDuration": "30s"}
    longer = proxies(gateway(drain_seconds=150))["shutdown"]
    assert longer == {"drainTimeout": "240s", "minDrainDuration": "150s"}


def test_the_namespace_of_proxies_has_further_labels_by_choice() -> None:
    gate = {"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"}
    labels = one(controller(namespace_labels=gate), NAMESPACE)["metadata"]["labels"]
    assert labels.items() >= {**gate, **one(controller(), NAMESPACE)["metadata"]["labels"]}.items()
    wrong: Any = {"a b": "x", "app.kubernetes.io/name": "mine"}
    found = remedies(lambda: EnvoyGateway("eg", {"namespace_labels": wrong}))
    assert set(found) == {"namespace_labels.a b", "namespace_labels.app.kubernetes.io/name"}


def test_a_fixed_number_of_proxies_needs_no_metrics() -> None:
    made = kubernetes(gateway(replicas=1, max_replicas=1))
    assert "envoyHpa" not in made
    assert made["envoyDeployment"]["replicas"] == 1


def test_a_proxy_has_as_many_threads_as_it_may_have_cpus() -> None:
    assert proxies(gateway())["concurrency"] == 2
    full = gateway(GATEWAY_FULL)
    assert proxies(full)["concurrency"] == 3
    assert kubernetes(full)["envoyDeployment"]["container"]["resources"] == {
        "requests": {"cpu": "1", "memory": "1Gi"},
        "limits": {"cpu": "3", "memory": "2Gi"},
    }
    assert kubernetes(gateway())["envoyDeployment"]["container"]["resources"] == {
        "requests": {"cpu": "200m", "memory": "256Mi"},
        "limits": {"cpu": "800m", "memory": "512Mi"},
    }


def test_the_access_log_is_json_without_queries() -> None:
    (setting,) = proxies(gateway())["telemetry"]["accessLog"]["settings"]
    assert setting["sinks"] == [{"type": "File", "file": {"path": "/dev/stdout"}}]
    assert setting["format"]["type"] == "JSON"
    fields = setting["format"]["json"]
    assert {"request_id", "upstream_host", "response_flags", "response_code", "client", "route_name"} <= set(fields)
    assert fields["request_id"] == "%REQ(X-REQUEST-ID)%"
    # A query may hold a token.
    assert [value for value in fields.values() if ":PATH" in value] == [
        "%REQ_WITHOUT_QUERY(X-ENVOY-ORIGINAL-PATH?:PATH)%"
    ]
    assert not any("AUTHORIZATION)" in value or "COOKIE" in value for value in fields.values())


@pytest.mark.parametrize(
    ("exposure", "traffic"),
    [(Exposure.LOAD_BALANCER, "Local"), (Exposure.NODE_PORT, "Cluster"), (Exposure.CLUSTER, None)],
)
def test_how_it_is_reached_is_how_its_service_is(exposure: Exposure, traffic: str | None) -> None:
    service = kubernetes(gateway(service={"type": exposure, "annotations": {"a.example/b": "c"}}))["envoyService"]
    assert (service["name"], service["type"], service["annotations"]) == (
        "public",
        exposure.value,
        {"a.example/b": "c"},
    )
    assert service.get("externalTrafficPolicy") == traffic
    assert "loadBalancerClass" not in service


def test_a_class_of_load_balancers_is_asked_for() -> None:
    assert kubernetes(gateway(GATEWAY_FULL))["envoyService"]["loadBalancerClass"] == "service.k8s.aws/nlb"


def test_clients_are_limited_and_speak_tls_12_or_later() -> None:
    spec = limits(gateway())
    assert spec["tls"] == {"minVersion": "1.2"}
    assert spec["timeout"]["tcp"] == {"tlsHandshakeTimeout": "10s"}
    assert spec["timeout"]["http"]["requestHeadersReceivedTimeout"] == "10s"
    # Longer than 600 seconds: a load balancer of Google Cloud would use a connection that is closed.
    assert spec["timeout"]["http"]["idleTimeout"] == "620s"
    assert spec["connection"]["connectionLimit"] == {"value": 5000}
    assert spec["headers"]["withUnderscoresAction"] == "RejectRequest"
    assert spec["path"] == {"escapedSlashesAction": "UnescapeAndRedirect"}
    assert spec["healthCheck"] == {"path": "/gateway-health"}
    assert limits(gateway(connections=9))["connection"]["connectionLimit"] == {"value": 9}


def test_the_same_limits_hold_without_tls() -> None:
    plan = gateway(GATEWAY_FULL)
    over_tls, plain = limits(plan), one(plan, LIMITS, "public-plain")["spec"]
    assert "sectionName" not in over_tls["targetRefs"][0]
    assert plain["targetRefs"] == [
        {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "public", "sectionName": "http"}
    ]
    apart = {key for key in {*over_tls, *plain} if over_tls.get(key) != plain.get(key)}
    assert apart == {"targetRefs", "tls", "headers"}


def test_browsers_are_told_to_stay_with_tls_and_only_over_tls() -> None:
    plan = gateway()
    assert limits(plan)["headers"]["lateResponseHeaders"] == {
        "addIfAbsent": [{"name": "Strict-Transport-Security", "value": "max-age=31536000"}]
    }
    assert "lateResponseHeaders" not in one(plan, LIMITS, "public-plain")["spec"]["headers"]
    assert "lateResponseHeaders" not in limits(gateway(hsts_seconds=0))["headers"]
    # Somebody else has the public certificate, and says so.
    assert "lateResponseHeaders" not in limits(gateway(hosts=[]))["headers"]


def test_clients_are_known_by_who_connects_unless_a_proxy_in_front_is_believed() -> None:
    spec = limits(gateway())
    assert not {"clientIPDetection", "proxyProtocol"} & set(spec)
    assert limits(gateway(trusted_hops=2))["clientIPDetection"] == {"xForwardedFor": {"numTrustedHops": 2}}
    # A connection without it could say anything.
    assert limits(gateway(proxy_protocol=True))["proxyProtocol"] == {"optional": False}


def test_proxies_reach_those_whose_routes_they_take_and_what_tells_them() -> None:
    spec = policy(gateway(GATEWAY_FULL), "public")
    assert spec["podSelector"] == {"matchLabels": PODS}
    dns, told, challenges, shop, depot = spec["egress"]
    assert {port["port"] for port in dns["ports"]} == {53}
    assert told == {
        "to": [{"podSelector": {"matchLabels": {"control-plane": "envoy-gateway"}}}],
        "ports": [{"port": 18000, "protocol": "TCP"}],
    }
    assert challenges["to"] == [{"podSelector": {"matchLabels": {"acme.cert-manager.io/http01-solver": "true"}}}]
    for rule, namespace in ((shop, "shop"), (depot, "depot")):
        (end,) = rule["to"]
        assert end["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
        assert [port["port"] for port in rule["ports"]] == [8080, 9000]


def test_everybody_reaches_the_ports_where_proxies_really_listen() -> None:
    """Envoy Gateway moves ports below 1024 up by ten thousand."""
    (rule,) = policy(gateway(), "public")["ingress"]
    assert rule == {**EVERYBODY, "ports": [{"port": port, "protocol": "TCP"} for port in (10443, 10080, 19001)]}
    (rule,) = policy(gateway(GATEWAY_FULL), "public")["ingress"]
    assert [port["port"] for port in rule["ports"]] == [8443, 8080, 19001]


def test_challenges_are_answered_to_the_proxies_alone() -> None:
    spec = policy(gateway(), "public-challenges")
    assert spec["podSelector"] == {"matchLabels": {"acme.cert-manager.io/http01-solver": "true"}}
    (rule,) = spec["ingress"]
    assert rule == {"from": [{"podSelector": {"matchLabels": PODS}}], "ports": [{"port": 8089, "protocol": "TCP"}]}
    assert spec["egress"] == []


def test_everything_is_made_where_the_proxies_run() -> None:
    plan = gateway(GATEWAY_FULL, namespace="elsewhere")
    made = [each for each in plan.resources if each.type.startswith("kubernetes:")]
    assert len(made) > 8
    assert {each.inputs["metadata"]["namespace"] for each in made} == {"elsewhere"}
    assert all(each.inputs["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "plinth" for each in made)


@pytest.mark.parametrize(
    "host",
    [
        *(
            "API.example.org",
            "example",
            "api_1.example.org",
            "-a.example.org",
            "api.*.org",
            "a.*",
            "*",
            "**.example.org",
        ),
        *("*api.example.org", "10.0.0.1", "api.example.org.", "api..org", f"{'a' * 64}.org", f"{'a.' * 126}org"),
    ],
)
def test_hosts_that_are_no_host_names_are_refused(host: str) -> None:
    assert "host name in small letters" in refused(hosts=["ok.example.org", host])["hosts[1]"]


@pytest.mark.parametrize("host", ["*.example.org", "a.b", "xn--bcher-kva.example", "1.example.org", "a-b.c1.example"])
def test_host_names_pass(host: str) -> None:
    assert listeners(gateway(hosts=[host]))[listener_name(host)]["hostname"] == host


def test_hosts_whose_listeners_would_be_one_are_refused() -> None:
    assert "leave one of them out" in refused(hosts=["a.example.org", "a.example.org"])["hosts[1]"]
    assert "leave one of them out" in refused(hosts=["any.example.org", "*.example.org"])["hosts[1]"]


def test_a_gateway_has_room_for_so_many_hosts() -> None:
    hosts = [f"h{number}.example.org" for number in range(64)]
    assert "63 or fewer" in refused(hosts=hosts)["hosts"]
    assert len(listeners(gateway(hosts=hosts[:63]))) == 64


@pytest.mark.parametrize(
    ("changes", "path", "remedy"),
    [
        ({"https_port": 0}, "https_port", "give 1 to 65535"),
        ({"https_port": 65536}, "https_port", "give 1 to 65535"),
        ({"http_port": -1}, "http_port", "give 0 to 65535"),
        ({"https_port": 19001}, "https_port", "proxies need 19000 to 19003"),
        ({"http_port": 19003}, "http_port", "proxies need 19000 to 19003"),
        ({"http_port": 443}, "http_port", "the same port as 443"),
        ({"http_port": 10443}, "http_port", "the same port as 443"),
        ({"trusted_hops": -1}, "trusted_hops", "give 0 or more"),
        ({"hsts_seconds": -1}, "hsts_seconds", "give 0 or more"),
        ({"connections": 0}, "connections", "give 1 or more"),
        ({"replicas": 0}, "replicas", "give 1 or more"),
        ({"replicas": 3, "max_replicas": 2}, "max_replicas", "give `replicas`, which is 3, or more"),
        ({"routes_from": []}, "routes_from", "give one namespace or more"),
        ({"routes_from": ["shop", "Depot"]}, "routes_from[1]", "give a DNS label"),
        ({"backend_ports": []}, "backend_ports", "leave it out for 8080"),
        ({"backend_ports": [8080, 0]}, "backend_ports[1]", "give 1 to 65535"),
        ({"service": {"type": "Ingress"}}, "service.type", "choose one of LoadBalancer, ClusterIP, NodePort"),
        (
            {"service": {"type": Exposure.NODE_PORT, "load_balancer_class": "a.example/b"}},
            "service.load_balancer_class",
            "a Service of type NodePort has no load balancer",
        ),
        ({"resources": {"cpu": "many", "memory": "1Gi"}}, "resources.cpu", "write a number"),
        ({"name": "Public"}, "name", "give a DNS label"),
        ({"name": "p" * 51}, "name", "use 50 or fewer"),
        ({"name": "envoy-gateway"}, "name", "give another"),
    ],
)
def test_bad_args_are_refused(changes: dict[str, Any], path: str, remedy: str) -> None:
    found = refused(**changes)
    assert list(found) == [path]
    assert remedy in found[path]


def test_what_is_wrong_is_said_together() -> None:
    found = refused(hosts=["a"], http_port=443, routes_from=[], max_replicas=1)
    assert set(found) == {"hosts[0]", "http_port", "routes_from", "max_replicas"}


def test_two_gateways_share_no_name() -> None:
    """They are in one namespace: one's name with a host must not be another's."""

    def names(name: str, hosts: list[str]) -> set[tuple[str, str]]:
        args: Any = {**GATEWAY, "hosts": hosts}
        plan = planned(lambda opts: KubernetesGateway(name, args, in_cluster(opts)))
        made = [each for each in plan.resources if each.type.startswith("kubernetes:")]
        return {(each.type, each.inputs["metadata"]["name"]) for each in made}

    first = names("shop", ["dev-api.example.org", "redirect-api.example.org"])
    for other in ("shop-dev", "shop-plain", "shop-challenges", "shop-redirect"):
        assert not first & names(other, ["api.example.org"])
