"""Services in a Kubernetes cluster."""

from fractions import Fraction
from typing import Any

import pulumi
import pytest

from components.service.kubernetes import KubernetesService
from components.service.pod import container, image_problem, pod_spec, version_problem
from components.service.quantities import cpu, cpu_problem, memory, memory_problem, quantity, quantity_problem
from policy.catalogue import judge
from preview.plan import UNKNOWN, Plan
from preview.project import PreviewError
from preview.record import Answer

from ..support import known, one, planned, remedies
from .examples.service import BARE, FULL
from .examples.shared import in_cluster

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
CONFIGURATION = "kubernetes:core/v1:ConfigMap"
SERVICE = "kubernetes:core/v1:Service"
ACCOUNT = "kubernetes:core/v1:ServiceAccount"
ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role"
BINDING = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
SCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"
ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
LIMITS = "kubernetes:gateway.envoyproxy.io/v1alpha1:BackendTrafficPolicy"
EXTERNAL = "kubernetes:external-secrets.io/v1:ExternalSecret"
SEALED = "kubernetes:bitnami.com/v1alpha1:SealedSecret"

DIGEST = f"@sha256:{'a' * 64}"
PODS = {"app.kubernetes.io/name": "api", "app.kubernetes.io/part-of": "shop"}


def service(base: Any = BARE, answer: Answer | None = known, **changes: Any) -> Plan:
    args: Any = {key: value for key, value in {**base, **changes}.items() if value is not None}
    return planned(lambda opts: KubernetesService("api", args, in_cluster(opts)), answer)


def refused(base: Any = BARE, **changes: Any) -> dict[str, str]:
    args: Any = {key: value for key, value in {**base, **changes}.items() if value is not None}
    return remedies(lambda: KubernetesService("api", args))


def outputs(plan: Plan) -> dict[str, Any]:
    return next(each for each in plan.resources if each.type == "plinth:index:KubernetesService").outputs


def template(plan: Plan) -> dict[str, Any]:
    return one(plan, DEPLOYMENT)["spec"]["template"]


def pod(plan: Plan) -> dict[str, Any]:
    return template(plan)["spec"]


def runs(plan: Plan) -> dict[str, Any]:
    (container,) = pod(plan)["containers"]
    return container


def awaited(plan: Plan, type_: str) -> set[str]:
    """Types and names of what a resource waits for."""
    (resource,) = plan.of_type(type_)
    return {f"{plan.resource(urn).type} {plan.resource(urn).name}" for urn in plan.waits_for(resource.urn)}


@pytest.mark.parametrize("base", [BARE, FULL], ids=["bare", "full"])
def test_a_service_breaks_no_rule(base: Any) -> None:
    findings = [finding for finding in judge(service(base)) if not finding.rule.startswith("provider-")]
    assert findings == []


def test_a_pod_is_nobody_and_can_become_nobody_else() -> None:
    spec = pod(service())
    assert spec["securityContext"].items() >= {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "fsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }.items()  # fmt: skip
    assert runs(service())["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
    }
    own = pod(service(user=1000))["securityContext"]
    assert (own["runAsUser"], own["runAsGroup"], own["fsGroup"]) == (1000, 1000, 1000)


def test_a_pod_writes_to_a_limited_tmp_and_nowhere_else() -> None:
    plan = service()
    assert runs(plan)["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]
    assert pod(plan)["volumes"] == [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}]
    assert pod(service(tmp_size="1Gi"))["volumes"][0]["emptyDir"] == {"sizeLimit": "1Gi"}


def test_limits_follow_from_what_is_asked_for() -> None:
    assert runs(service())["resources"] == {
        "requests": {"cpu": "100m", "memory": "128Mi"},
        "limits": {"cpu": "400m", "memory": "128Mi"},
    }
    own = {"cpu": "250m", "memory": "128Mi", "cpu_limit": "2", "memory_limit": "1Gi"}
    assert runs(service(resources=own))["resources"]["limits"] == {"cpu": "2", "memory": "1Gi"}
    assert runs(service(resources={"cpu": "0.5", "memory": "1Gi"}))["resources"]["limits"]["cpu"] == "2"


def test_a_pod_has_no_token_unless_it_reads_its_configuration() -> None:
    plan = service()
    assert one(plan, ACCOUNT)["automountServiceAccountToken"] is False
    assert pod(plan)["automountServiceAccountToken"] is False
    plan = service(reads_configuration=True)
    assert one(plan, ACCOUNT)["automountServiceAccountToken"] is False
    assert pod(plan)["automountServiceAccountToken"] is True


def test_the_role_reads_the_services_own_configuration_and_nothing_else() -> None:
    plan = service()
    assert one(plan, ROLE)["rules"] == [
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["api"], "verbs": ["get", "watch"]}
    ]
    assert one(plan, BINDING)["subjects"] == [{"kind": "ServiceAccount", "name": "api", "namespace": "shop"}]
    assert one(plan, BINDING)["roleRef"]["name"] == "api"
    assert pod(plan)["serviceAccountName"] == "api"


def test_a_cloud_knows_the_service_by_its_account() -> None:
    annotations = {"iam.gke.io/gcp-service-account": "api@plinth.iam.gserviceaccount.com"}
    account = one(service(service_account_annotations=annotations), ACCOUNT)
    assert account["metadata"]["name"] == "api"
    assert account["metadata"]["annotations"] == annotations


def test_configuration_becomes_environment_variables() -> None:
    plan = service(environment={"LOG_LEVEL": "info"})
    assert one(plan, CONFIGURATION)["data"] == {"LOG_LEVEL": "info"}
    assert runs(plan)["envFrom"] == [{"configMapRef": {"name": "api"}}]
    assert pod(plan)["enableServiceLinks"] is False


def checksum(**environment: Any) -> str:
    return template(service(environment=environment))["metadata"]["annotations"]["checksum/configuration"]


def test_other_configuration_makes_other_pods() -> None:
    assert checksum(A="1", B="2") == checksum(B="2", A="1")
    assert len({checksum(), checksum(A="1"), checksum(A="2"), checksum(B="1"), checksum(A="1", B="")}) == 5


def later(value: Any) -> Any:
    """The args' value, as an output that the plan has when it is run."""
    return lambda: pulumi.Output.from_input(value)


def with_outputs(answer: Answer | None = known, **values: Any) -> Plan:
    """A service whose environment holds what these functions give when they are called in the program."""

    def make(opts: pulumi.ResourceOptions) -> None:
        environment = {key: value() for key, value in values.items()}
        args: Any = {**BARE, "environment": environment}
        KubernetesService("api", args, in_cluster(opts))

    return planned(make, answer)


def test_configuration_may_be_known_later() -> None:
    plan = with_outputs(DB_HOST=later("db.example"))
    assert one(plan, CONFIGURATION)["data"] == {"DB_HOST": "db.example"}
    annotations = template(plan)["metadata"]["annotations"]
    assert annotations["checksum/configuration"] == checksum(DB_HOST="db.example")


def test_one_unknown_value_hides_no_other() -> None:
    def unknown() -> pulumi.Output[str]:
        from pulumi_random import RandomPet

        chance = pulumi.ResourceOptions(provider=_chance())
        return RandomPet("pet", opts=chance).id

    plan = with_outputs(None, DB_HOST=unknown, LOG_LEVEL=lambda: "info")
    assert one(plan, CONFIGURATION)["data"] == {"DB_HOST": UNKNOWN, "LOG_LEVEL": "info"}
    assert template(plan)["metadata"]["annotations"]["checksum/configuration"] == UNKNOWN


def _chance() -> pulumi.ProviderResource:
    import pulumi_random as random

    return random.Provider("other-chance")


def test_a_secret_in_the_environment_is_refused() -> None:
    with pytest.raises(PreviewError, match=r"environment\.DB_PASSWORD: is a secret; give it through `secrets`"):
        with_outputs(DB_PASSWORD=lambda: pulumi.Output.secret("hunter2"))


def variables(plan: Plan) -> dict[str, tuple[str, str]]:
    """Secret and key that each environment variable comes from."""
    references = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in runs(plan)["env"]}
    return {name: (reference["name"], reference["key"]) for name, reference in references.items()}


def test_secrets_become_variables_by_reference() -> None:
    assert variables(service(FULL)) == {
        "BROKER_URL": ("broker", "url"),
        "DB_PASSWORD": ("api-database", "password"),
        "DB_USER": ("api-database", "username"),
        "JWT_SECRET": ("api-signing", "value"),
    }


def test_pods_wait_for_their_secrets() -> None:
    assert {f"{EXTERNAL} api-database", f"{SEALED} api-signing"} <= awaited(service(FULL), DEPLOYMENT)


def test_other_secrets_make_other_pods() -> None:
    annotations = one(service(FULL), DEPLOYMENT)["metadata"]["annotations"]
    assert annotations["secret.reloader.stakater.com/reload"] == "api-database,api-signing,broker"
    assert "secret.reloader.stakater.com/reload" not in one(service(), DEPLOYMENT)["metadata"]["annotations"]


def test_what_pods_rely_on_stands_longer_than_they_do() -> None:
    relied_on = {f"{type_} api" for type_ in (CONFIGURATION, ACCOUNT, ROLE, BINDING, POLICY)}
    assert relied_on <= awaited(service(), DEPLOYMENT)


def test_two_pods_run_unless_another_number_is_given() -> None:
    assert one(service(), DEPLOYMENT)["spec"]["replicas"] == 2
    assert one(service(replicas=1), DEPLOYMENT)["spec"]["replicas"] == 1
    assert service().of_type(SCALER) == []


def test_nobody_but_the_autoscaler_changes_the_number_of_pods() -> None:
    (deployment,) = service(scaling={"fewest": 3, "most": 10}).of_type(DEPLOYMENT)
    assert deployment.options["ignoreChanges"] == ["spec.replicas"]
    # Else the first pods would be one, as Kubernetes has it.
    assert deployment.inputs["spec"]["replicas"] == 3
    (deployment,) = service().of_type(DEPLOYMENT)
    assert "ignoreChanges" not in deployment.options


def test_a_number_that_something_else_has_set_is_set_again() -> None:
    """Kubernetes would refuse it: the field belongs to who set it last, such as an autoscaler that is gone."""
    assert one(service(), DEPLOYMENT)["metadata"]["annotations"]["pulumi.com/patchForce"] == "true"


def test_pods_follow_the_load() -> None:
    spec = one(service(scaling={"fewest": 3, "most": 10, "cpu_percent": 70}), SCALER)["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}
    assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 10)
    targets = {each["resource"]["name"]: each["resource"]["target"]["averageUtilization"] for each in spec["metrics"]}
    assert targets == {"cpu": 70, "memory": 80}


def test_there_are_more_pods_at_once_and_fewer_after_a_while() -> None:
    behaviour = one(service(scaling={"fewest": 3, "most": 10}), SCALER)["spec"]["behavior"]
    assert behaviour["scaleUp"] == {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [
            {"type": "Percent", "value": 100, "periodSeconds": 15},
            {"type": "Pods", "value": 4, "periodSeconds": 15},
        ],
    }
    assert behaviour["scaleDown"] == {
        "stabilizationWindowSeconds": 300,
        "selectPolicy": "Max",
        "policies": [
            {"type": "Percent", "value": 10, "periodSeconds": 60},
            {"type": "Pods", "value": 1, "periodSeconds": 60},
        ],
    }


def test_maintenance_takes_one_pod_at_a_time_where_there_are_more() -> None:
    assert one(service(), BUDGET)["spec"] == {
        "maxUnavailable": 1,
        "selector": {"matchLabels": PODS},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
    assert len(service(scaling={"fewest": 2, "most": 3}).of_type(BUDGET)) == 1
    assert service(scaling={"fewest": 1, "most": 3}).of_type(BUDGET) == []
    assert service(replicas=1).of_type(BUDGET) == []
    assert service(disruption_budget=False).of_type(BUDGET) == []


def test_there_are_never_fewer_pods_while_a_new_version_takes_over() -> None:
    spec = one(service(), DEPLOYMENT)["spec"]
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"}}
    assert spec["revisionHistoryLimit"] == 5


@pytest.mark.parametrize("seconds", [5, 60, 540])
def test_kubernetes_gives_a_rollout_up_before_pulumi_does_and_after_the_pods_could_start(seconds: int) -> None:
    plan = service(startup_seconds=seconds)
    spec = one(plan, DEPLOYMENT)["spec"]
    waits = int(one(plan, DEPLOYMENT)["metadata"]["annotations"]["pulumi.com/timeoutSeconds"])
    assert 0 < spec["minReadySeconds"] < seconds + spec["minReadySeconds"] < spec["progressDeadlineSeconds"]
    assert waits >= max(600, 4 * seconds, spec["progressDeadlineSeconds"])


def test_a_pod_runs_what_is_asked_for() -> None:
    plan = service(FULL)
    assert (runs(plan)["name"], runs(plan)["image"]) == ("api", "registry.example/shop/api:1.2.3")
    assert (runs(plan)["command"], runs(plan)["args"]) == (["/api"], ["serve"])
    assert pod(plan)["priorityClassName"] == "shop-high"
    assert not {"command", "args"} & set(runs(service()))


def test_a_pod_that_says_nothing_at_its_end_is_quoted_from_its_log() -> None:
    assert runs(service())["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_pods_spread_over_zones_and_nodes() -> None:
    spec = pod(service())
    spread = {each["topologyKey"]: each for each in spec["topologySpreadConstraints"]}
    assert set(spread) == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
    for each in spread.values():
        assert (each["maxSkew"], each["whenUnsatisfiable"]) == (1, "ScheduleAnyway")
        assert each["labelSelector"] == {"matchLabels": PODS}
        assert each["matchLabelKeys"] == ["pod-template-hash"]
    (apart,) = spec["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert apart["podAffinityTerm"] == {"labelSelector": {"matchLabels": PODS}, "topologyKey": "kubernetes.io/hostname"}


def probes(plan: Plan) -> dict[str, Any]:
    """What each probe asks."""
    return {
        kind: {key: value for key, value in runs(plan)[f"{kind}Probe"].items() if key in ("httpGet", "tcpSocket")}
        for kind in ("startup", "liveness", "readiness")
    }


def test_probes_ask_for_the_paths_that_are_given() -> None:
    live = {"httpGet": {"path": "/health", "port": "http", "scheme": "HTTP"}}
    ready = {"httpGet": {"path": "/ready", "port": "http", "scheme": "HTTP"}}
    assert probes(service(FULL)) == {"startup": live, "liveness": live, "readiness": ready}


def test_probes_connect_where_no_path_is_given() -> None:
    listening = {"tcpSocket": {"port": "http"}}
    assert probes(service()) == dict.fromkeys(("startup", "liveness", "readiness"), listening)


def test_a_worker_is_asked_at_its_metrics() -> None:
    plan = service(port=None, metrics_port=9090, live_path="/health")
    assert probes(plan)["liveness"]["httpGet"] == {"path": "/health", "port": "metrics", "scheme": "HTTP"}
    assert probes(plan)["readiness"] == {"tcpSocket": {"port": "metrics"}}


def test_a_pod_has_its_time_to_start() -> None:
    probe = runs(service(startup_seconds=31))["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == 35
    probe = runs(service())["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == 60


def test_a_pod_takes_requests_until_everybody_knows_that_it_leaves() -> None:
    plan = service(grace_seconds=10)
    waits = runs(plan)["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert 0 < waits < pod(plan)["terminationGracePeriodSeconds"] == 10


def reached(plan: Plan) -> list[tuple[Any, Any, list[int]]]:
    """Namespace and labels of those who reach the service, and where."""
    found = []
    for rule in one(plan, POLICY)["spec"]["ingress"]:
        for end in rule["from"]:
            namespace = end.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name")
            found.append((namespace, end["podSelector"]["matchLabels"], [port["port"] for port in rule["ports"]]))
    return found


def test_nobody_reaches_a_service_but_those_that_are_named() -> None:
    assert reached(service()) == []
    assert one(service(), POLICY)["spec"]["podSelector"] == {"matchLabels": PODS}
    gateway = ("gateway", {"gateway.envoyproxy.io/owning-gateway-name": "public"}, [8080])
    assert sorted(reached(service(FULL)), key=str) == [gateway, ("monitoring", {}, [9090])]


def test_a_caller_of_any_purpose_is_added_to_the_gateway() -> None:
    plan = service(FULL, reached_by={"gateway": {"ports": [8080], "pods": {"app": "other"}}})
    assert len(reached(plan)) == 2


def test_a_service_reaches_names_and_those_that_are_named() -> None:
    ports = [port["port"] for rule in one(service(FULL), POLICY)["spec"]["egress"] for port in rule["ports"]]
    assert sorted(set(ports)) == [53, 5432]


def test_a_service_answers_within_the_cluster() -> None:
    plan = service(metrics_port=9090)
    spec = one(plan, SERVICE)["spec"]
    assert (spec["type"], spec["selector"]) == ("ClusterIP", PODS)
    assert {(each["name"], each["port"], each["targetPort"]) for each in spec["ports"]} == {
        ("http", 8080, "http"),
        ("metrics", 9090, "metrics"),
    }
    assert runs(plan)["ports"] == [
        {"name": "http", "containerPort": 8080, "protocol": "TCP"},
        {"name": "metrics", "containerPort": 9090, "protocol": "TCP"},
    ]
    assert outputs(plan) == {
        "serviceName": "api",
        "url": "http://api.shop.svc:8080",
        "deploymentName": "api",
        "configuration": "api",
        "ready": "api",
        "pods": PODS,
    }


def test_a_worker_answers_nobody() -> None:
    plan = service(port=None, metrics_port=9090)
    assert plan.of_type(SERVICE) == []
    assert (outputs(plan)["serviceName"], outputs(plan)["url"]) == ("", "")


def test_the_new_version_runs_when_the_service_is_ready() -> None:
    assert outputs(service(answer=None))["ready"] == UNKNOWN
    assert outputs(service())["ready"] == "api"


def test_the_version_labels_pods_but_does_not_select_them() -> None:
    plan = service(FULL)
    assert template(plan)["metadata"]["labels"]["app.kubernetes.io/version"] == "1.2.3"
    assert one(plan, DEPLOYMENT)["spec"]["selector"] == {"matchLabels": PODS}
    assert one(plan, SERVICE)["spec"]["selector"] == PODS
    labelled = [each.type for each in plan.resources if "version" in str(each.inputs.get("metadata", {}).get("labels"))]
    assert labelled == [DEPLOYMENT]


def test_every_object_says_whose_it_is() -> None:
    ours = [each for each in service(FULL).resources if each.type.startswith("kubernetes:")]
    assert len(ours) == 13
    for each in ours:
        assert each.inputs["metadata"]["labels"].items() >= {**PODS, "app.kubernetes.io/managed-by": "plinth"}.items()
        assert each.inputs["metadata"]["namespace"] == "shop"
        assert each.inputs["metadata"]["name"].startswith("api")


def test_a_route_leads_from_the_gateways_tls_listener_to_the_service() -> None:
    plan = service(FULL)
    spec = one(plan, ROUTE)["spec"]
    (parent,) = spec["parentRefs"]
    assert (parent["kind"], parent["name"], parent["namespace"]) == ("Gateway", "public", "gateway")
    assert parent["sectionName"] == "https-api.example.org"
    assert spec["hostnames"] == ["api.example.org"]
    (rule,) = spec["rules"]
    assert [match["path"] for match in rule["matches"]] == [
        {"type": "PathPrefix", "value": "/api"},
        {"type": "PathPrefix", "value": "/health"},
    ]
    assert rule["backendRefs"] == [{"kind": "Service", "name": "api", "port": 8080}]
    assert rule["timeouts"] == {"request": "10s"}


ANY_HOST = {**FULL["route"], "host": ""}  # pyright: ignore[reportTypedDictNotRequiredAccess]


def test_a_route_may_be_for_any_host() -> None:
    plan = service(route=ANY_HOST)
    spec = one(plan, ROUTE)["spec"]
    assert "hostnames" not in spec
    assert spec["parentRefs"][0]["sectionName"] == "https"
    assert outputs(plan)["url"] == "http://api.shop.svc:8080"


def test_a_route_may_come_through_the_listener_of_other_hosts() -> None:
    spec = one(service(route={**ANY_HOST, "listener": "https-any.example.org"}), ROUTE)["spec"]
    assert spec["parentRefs"][0]["sectionName"] == "https-any.example.org"


def test_the_gateway_lets_so_many_requests_through() -> None:
    plan = service(FULL)
    spec = one(plan, LIMITS)["spec"]
    assert spec["targetRefs"] == [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "api"}]
    assert spec["rateLimit"] == {"local": {"rules": [{"limit": {"requests": 50, "unit": "Second"}}]}}
    assert f"{ROUTE} api" in awaited(plan, LIMITS)
    bare = service(route={key: value for key, value in ANY_HOST.items() if key != "requests_per_second"})
    assert one(bare, LIMITS)["spec"]["rateLimit"]["local"]["rules"][0]["limit"]["requests"] == 100


def test_the_gateway_asks_again_only_for_what_no_pod_has_seen() -> None:
    """A request that is not safe to repeat must not be."""
    retry = one(service(FULL), LIMITS)["spec"]["retry"]
    assert retry["numRetries"] == 2
    assert retry["retryOn"] == {"triggers": ["connect-failure", "refused-stream", "reset-before-request"]}
    assert retry["perRetry"]["backOff"] == {"baseInterval": "100ms", "maxInterval": "1s"}


def test_the_gateway_spares_a_service_that_is_behind_and_pods_that_fail() -> None:
    spec = one(service(FULL), LIMITS)["spec"]
    assert spec["circuitBreaker"] == {
        "maxConnections": 1024,
        "maxParallelRequests": 1024,
        "maxPendingRequests": 256,
        "retryBudget": {"percent": {"numerator": 20}, "minRetryConcurrency": 3},
    }
    assert spec["healthCheck"]["passive"].items() >= {"consecutive5XxErrors": 5, "baseEjectionTime": "30s"}.items()
    # Of two pods, the other one is left.
    assert spec["healthCheck"]["passive"]["maxEjectionPercent"] == 50
    assert spec["timeout"] == {"tcp": {"connectTimeout": "5s"}}


def test_a_service_is_reached_from_outside_once_the_gateway_has_taken_its_route() -> None:
    plan = service(FULL)
    accepted = "conditions[?(@.type == 'Accepted')].status}=True"
    waits = {type_: one(plan, type_)["metadata"]["annotations"]["pulumi.com/waitFor"] for type_ in (ROUTE, LIMITS)}
    assert waits == {
        ROUTE: f"jsonpath={{.status.parents[*].{accepted}",
        LIMITS: f"jsonpath={{.status.ancestors[*].{accepted}",
    }
    assert outputs(plan)["url"] == "https://api.example.org"
    assert outputs(service(FULL, answer=None))["url"] == UNKNOWN


def test_who_calls_a_service_in_the_cluster_does_not_wait_for_its_pods() -> None:
    """Two services may call each other."""
    assert outputs(service(answer=None))["url"] == "http://api.shop.svc:8080"


def test_a_service_without_a_route_has_none() -> None:
    assert service().of_type(ROUTE, LIMITS) == []


def test_images_are_pulled_again_where_their_name_may_mean_another() -> None:
    assert runs(service())["imagePullPolicy"] == "Always"
    assert runs(service(image=f"registry.example/api{DIGEST}"))["imagePullPolicy"] == "IfNotPresent"
    assert pod(service(FULL))["imagePullSecrets"] == [{"name": "registry"}]


def test_wrong_numbers_are_refused() -> None:
    assert refused(replicas=0) == {"replicas": "give 1 or more"}
    assert "1 or more" in refused(scaling={"fewest": 0, "most": 3})["scaling.fewest"]
    assert "`fewest`, which is 3, or more" in refused(scaling={"fewest": 3, "most": 2})["scaling.most"]
    assert "1 to 100" in refused(scaling={"fewest": 1, "most": 2, "cpu_percent": 0})["scaling.cpu_percent"]
    assert "leave one of both out" in refused(scaling={"fewest": 1, "most": 2}, replicas=2)["replicas"]
    for port in ("port", "metrics_port"):
        assert "1 to 65535" in refused(**{port: 70000})[port]
    assert "10 to 3600" in refused(grace_seconds=5)["grace_seconds"]
    assert "5 to 540" in refused(startup_seconds=600)["startup_seconds"]
    assert "root is 0" in refused(user=0)["user"]


def test_wrong_quantities_are_refused() -> None:
    problems = refused(resources={"cpu": "fast", "memory": "128m"})
    assert "250m" in problems["resources.cpu"]
    assert "unit such as Mi" in problems["resources.memory"]
    assert "64Mi" in refused(tmp_size="64 Mi")["tmp_size"]
    more = {"cpu": "1", "memory": "1Gi", "cpu_limit": "500m", "memory_limit": "1G"}
    problems = refused(resources=more)
    assert set(problems) == {"resources.cpu_limit", "resources.memory_limit"}
    assert "`cpu`, which is 1, or more" in problems["resources.cpu_limit"]


def test_wrong_names_are_refused() -> None:
    assert "DNS label" in refused(service="Api")["service"]
    assert "DNS label" in refused(service="a" * 64)["service"]
    assert "DNS label" in refused(system="1shop")["system"]
    assert "DNS label" in refused(namespace="my_space")["namespace"]
    assert "no digit first" in refused(environment={"log-level": "info"})["environment.log-level"]
    assert "other than latest" in refused(image="registry.example/api:latest")["image"]
    assert "label" in refused(version="a b")["version"]
    for path in ("live_path", "ready_path"):
        assert "begins with a /" in refused(**{path: "health"})[path]


def test_wrong_ports_are_refused() -> None:
    assert "`metrics_port`" in refused(port=None)["port"]
    assert "give another" in refused(metrics_port=8080)["metrics_port"]
    assert "leave the route out" in refused(FULL, port=None, reached_by=None)["route"]
    problems = refused(reached_by={"others": {"ports": [8080, 80], "namespace": "others"}})
    assert problems == {"reached_by.others.ports[1]": "give `port` or `metrics_port`; it has no others"}


def test_wrong_routes_are_refused() -> None:
    wrong = {
        **ANY_HOST,
        "host": "https://api",
        "paths": ["api", "/a/", "/a//b", "/a/../b", "/b", "/b"],
        "requests_per_second": 0,
        "timeout_seconds": 0,
    }
    assert set(refused(route=wrong)) == {
        "route.host",
        *(f"route.paths[{i}]" for i in (0, 1, 2, 3, 5)),
        "route.requests_per_second",
        "route.timeout_seconds",
    }
    assert set(refused(route={**ANY_HOST, "paths": []})) == {"route.paths"}


def test_more_than_a_config_map_holds_is_refused() -> None:
    whole = {f"V_{i}": "x" * 1024 for i in range(1024)}
    assert refused(environment={**whole, "MORE": "x"}) == {
        "environment": "1048576 is what a ConfigMap holds; keep the rest elsewhere"
    }


@pytest.mark.parametrize(
    "resources", [{"cpu": "1", "memory": "5Mi"}, {"cpu": "1", "memory": "1Mi", "memory_limit": "4Mi"}]
)
def test_less_memory_than_a_container_starts_with_is_refused(resources: dict[str, str]) -> None:
    (remedy,) = refused(resources={"cpu": "1", **resources}).values()
    assert remedy == "no container starts with so little; give 6Mi or more"


@pytest.mark.parametrize("version", ["v1.2.3", "_", "v" * 128, "sha256:" + "0" * 64])
def test_versions_of_images_are_taken(version: str) -> None:
    assert version_problem(version) is None


@pytest.mark.parametrize("version", ["", "latest", "v" * 129, "v1\n", ".a", "a b", "a@b", "sha256:abc", "é"])
def test_what_is_no_version_of_an_image_is_refused(version: str) -> None:
    assert (version_problem(version) or "").startswith("give a tag other than latest")


def test_wrong_secrets_are_refused() -> None:
    both = {"variables": {"A": "a"}, "existing": "x", "external": {"store": "s", "key": "k"}}
    assert "exactly one of" in refused(secrets={"both": both})["secrets.both"]
    secret = {"variables": {"LOG_LEVEL": "a", "b": "b"}, "existing": "x"}
    problems = refused(secrets={"one": secret, "My": secret}, environment={"LOG_LEVEL": "info"})
    assert problems["environment.LOG_LEVEL"] == "the secret My gives it; leave it out"
    assert "no digit first" in problems["secrets.one.variables.b"]
    assert "small letters, digits and hyphens" in problems["secrets.My"]


def test_names_that_kubernetes_would_refuse_later_are_refused() -> None:
    assert "253 at most" in refused(pull_secret="my registry")["pull_secret"]
    assert "253 at most" in refused(priority_class="High")["priority_class"]
    assert "`a b` is no key" in refused(service_account_annotations={"a b": "x"})["service_account_annotations"]
    for words in ([], [""], [" ", "serve"]):
        assert "say what is run" in refused(command=words)["command"]
    existing = {"variables": {"A": "a"}, "existing": "My Secret"}
    external = {"variables": {"B": "b"}, "external": {"store": "Cloud Store", "key": "k", "refresh": "soon"}}
    problems = refused(secrets={"one": existing, "two": external})
    assert list(problems) == ["secrets.one.existing", "secrets.two.external.store", "secrets.two.external.refresh"]
    assert "15m" in problems["secrets.two.external.refresh"]


@pytest.mark.parametrize("refresh", ["1h", "15m", "90s", "1h30m"])
def test_secrets_are_read_again_as_often_as_is_said(refresh: str) -> None:
    secret = {"variables": {"A": "a"}, "external": {"store": "cloud", "key": "k", "refresh": refresh}}
    assert one(service(secrets={"a": secret}), EXTERNAL)["spec"]["refreshInterval"] == refresh


@pytest.mark.parametrize("refresh", ["", "1", "0s", "1d", "-1h", "1h 30m"])
def test_what_is_no_time_is_refused(refresh: str) -> None:
    secret = {"variables": {"A": "a"}, "external": {"store": "cloud", "key": "k", "refresh": refresh}}
    assert set(refused(secrets={"a": secret})) == {"secrets.a.external.refresh"}


def test_problems_are_reported_together() -> None:
    problems = refused(replicas=-1, port=None, scaling={"fewest": 2, "most": 1}, colour="red")
    assert set(problems) == {"replicas", "colour"}, "of shape, first"
    problems = refused(port=None, scaling={"fewest": 2, "most": 1}, resources={"cpu": "x", "memory": "1Gi"})
    assert set(problems) == {"port", "scaling.most", "resources.cpu"}
    less = {"cpu": "1", "memory": "1Gi", "cpu_limit": "500m"}
    empty = {"database": {"variables": {}, "existing": "database"}}
    problems = refused(image="registry.example/api:latest", resources=less, secrets=empty)
    assert set(problems) == {"image", "resources.cpu_limit", "secrets.database.variables"}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("0.5", Fraction(1, 2)),
        (".5", Fraction(1, 2)),
        ("250m", Fraction(1, 4)),
        ("1.5Gi", 3 * 2**29),
        ("64Mi", 64 * 2**20),
        ("1k", 1000),
        ("1e3", 1000),
        ("1E", 10**18),
        ("2Ei", 2**61),
        ("100n", Fraction(1, 10**7)),
    ],
)
def test_quantities_are_read_as_kubernetes_reads_them(text: str, number: Fraction) -> None:
    assert quantity(text) == number
    assert quantity_problem(text) is None


@pytest.mark.parametrize("text", ["", "Mi", "1 Gi", "1gi", "1K", "-1", "1e", "1GiB", "1,5", "0x1", "\n1"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    assert "64Mi" in (quantity_problem(text) or "")


def test_cpus_come_in_thousandths_and_memory_in_bytes() -> None:
    assert (cpu("250m"), cpu("2"), memory("1Ki")) == (Fraction(1, 4), 2, 1024)
    assert [cpu_problem(text) is None for text in ("1m", "0", "0m", "0.0001", "100Mi")] == [True, *[False] * 4]
    assert [memory_problem(text) is None for text in ("1", "0.5Ki", "0", "512m", "x")] == [True, True, *[False] * 3]


@pytest.mark.parametrize(
    "image",
    [
        "app:1",
        "registry.example:5000/a/b:v1.2",
        f"r.example/a@sha256:{'a' * 64}",
        f"r.example/a:latest@sha256:{'a' * 64}",
        "localhost/a_b/c__d/e-f:1",
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/api:v1_2-3",
    ],
)
def test_images_that_say_which_one_pass(image: str) -> None:
    assert image_problem(image) is None


@pytest.mark.parametrize(
    "image",
    [
        *("", "app", "app:latest", "registry.example:5000/app", "app@sha256:abc", "app:1 ", "r.example/app:"),
        *(
            "UPPER/Case:1",
            "r.example/Case:1",
            "https://x/y:1",
            "r.example//a:1",
            "r.example/a/:1",
            "/a:1",
            "r.example/a b:1",
        ),
        *(
            "r.example:port/a:1",
            "r.example/a:-1",
            f"r.example/a:{'a' * 129}",
            "r.example/-a:1",
            "a__-b:1",
            "r.example/a b:1",
        ),
    ],
)
def test_images_that_may_be_another_one_are_refused(image: str) -> None:
    assert "other than latest" in (image_problem(image) or "")


def test_the_order_in_which_variables_are_given_makes_no_other_pod() -> None:
    def named(**variables: str) -> list[str]:
        made = container("app", "app:1", {"cpu": "1", "memory": "1Gi"}, variables=variables)
        return [entry["name"] for entry in made["env"]]

    assert named(B="2", A="1") == named(A="1", B="2") == ["A", "B"]


def test_init_containers_and_volumes_are_the_pods() -> None:
    first = container("first", "app:1", {"cpu": "1", "memory": "1Gi"}, mounts={"a": "/a"}, written_mounts={"b": "/b"})
    spec = pod_spec(
        [first],
        service_account="app",
        init_containers=[first],
        volumes={"a": {"config_map": {"name": "a"}}, "b": {"empty_dir": {}}},
        restart_policy="Never",
    )
    assert spec["init_containers"] == [first]
    assert [volume["name"] for volume in spec["volumes"]] == ["tmp", "a", "b"]
    assert {mount["name"]: mount.get("read_only", False) for mount in first["volume_mounts"]} == {
        "tmp": False,
        "a": True,
        "b": False,
    }
    assert spec["restart_policy"] == "Never"
    assert "topology_spread_constraints" not in spec
