"""What runs in the clusters of environments: the tiers, the order, and who reaches whom."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from components.network.subnets import SubnetPlan, SubnetTier
from components.platform.charts import CHARTS
from components.service.quantities import cpu, memory
from preview.plan import Plan
from preview.project import Configuration, configuration, stacks
from stacks.environments.gcp_settings import signs_in
from stacks.model import Secret, Service, System, Tier
from stacks.reading import values_of
from stacks.settings import ENVIRONMENTS as MODULES
from stacks.settings import Cloud, Settings, load
from stacks.systems import SYSTEMS
from stacks.tiers import PROFILES

from ..manifests import VERSIONS, invalid, manifests
from ..support import ROOT, SENTINEL, known, known_plan, recorded
from .reach_cluster import NAME, Pods, Way, denied_by_default, egress, ingress, ways
from .test_environments import PROGRAM, changed, plan_of

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
RELEASE = "kubernetes:helm.sh/v3:Release"
SCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"
NAMESPACE = "kubernetes:core/v1:Namespace"
ENVIRONMENTS = [stack for stack in stacks(ROOT) if not stack.startswith("account-")]
WORKFLOWS = [stack for stack in ENVIRONMENTS if stack.startswith("workflows-")]


def settings_of(stack: str) -> Settings:
    settings = load(stack, configuration(ROOT, stack).values)
    assert isinstance(settings, Settings)
    return settings


def in_namespace(plan: Plan, type_: str, namespace: str) -> dict[str, Any]:
    """The objects of a type in a namespace, by name."""
    found = [each.inputs for each in plan.of_type(type_) if each.inputs["metadata"].get("namespace") == namespace]
    return {each["metadata"].get("name", ""): each for each in found}


def container(deployment: dict[str, Any]) -> dict[str, Any]:
    (only,) = deployment["spec"]["template"]["spec"]["containers"]
    return only


PRIMARY = {
    "database": "arn:aws:rds:eu-west-1:123456789012:db:skipper-dev-database",
    "databaseSecret": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x",
    "key": "arn:aws:kms:eu-central-1:123456789012:key/x",
    "stores": {"events": "arn:aws:s3:::events-copy"},
}
"""What a standby has of its primary."""
TIERS = {
    # tier: replicas, CPU, memory, log level, image's tag, autoscaler from and to, disruption budget
    "dev": (1, "50m", "64Mi", "debug", "develop", None, False),
    "staging": (2, "100m", "128Mi", "info", "main", None, False),
    "prod": (3, "200m", "256Mi", "warn", "v1.0.0", (3, 10), True),
}
"""What sets the tiers of Intelligent Workflows apart."""


def test_there_is_a_stack_of_workflows_for_each_tier_on_each_cloud() -> None:
    assert sorted(WORKFLOWS) == sorted(f"workflows-{cloud}-{tier}" for cloud in ("aws", "gcp") for tier in TIERS)


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
@pytest.mark.parametrize("tier", TIERS)
def test_the_tiers_of_workflows_differ_as_the_table_says(cloud: str, tier: str) -> None:
    name = f"workflows-{cloud}-{tier}"
    plan = known_plan(name)
    deployment = in_namespace(plan, DEPLOYMENT, name)["api"]
    environment = in_namespace(plan, "kubernetes:core/v1:ConfigMap", name)["api"]["data"]
    scaler = in_namespace(plan, SCALER, name).get("api")
    requests = container(deployment)["resources"]["requests"]
    assert (
        deployment["spec"]["replicas"],
        requests["cpu"],
        requests["memory"],
        environment["LOG_LEVEL"],
        container(deployment)["image"].rpartition(":")[2],
        (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]) if scaler else None,
        "api" in in_namespace(plan, BUDGET, name),
    ) == TIERS[tier]


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_the_tiers_of_workflows_differ_in_nothing_else(cloud: str) -> None:
    """What runs is the same in each tier, but for what the table and the places name."""

    def same(tier: str) -> Any:
        name = f"workflows-{cloud}-{tier}"
        deployment = in_namespace(known_plan(name), DEPLOYMENT, name)["api"]
        text = json.dumps(deployment["spec"]["template"]).replace(name, "<environment>")
        template = json.loads(text)
        del template["metadata"]["annotations"]["checksum/configuration"]
        del template["metadata"]["labels"]["app.kubernetes.io/version"]
        (only,) = template["spec"]["containers"]
        for key in ("image", "resources", "imagePullPolicy"):
            only.pop(key, None)
        return template

    assert same("dev") == same("staging") == same("prod")


def test_the_larger_sizes_are_an_override() -> None:
    larger = {"cpu": "500m", "memory": "512Mi", "cpuLimit": "2000m", "memoryLimit": "2Gi"}
    services = json.loads(configuration(ROOT, "workflows-aws-prod").values["plinth:services"])
    services["api"]["resources"] = larger
    plan = recorded(PROGRAM, changed("workflows-aws-prod", services=services), known).plan
    deployment = in_namespace(plan, DEPLOYMENT, "workflows-aws-prod")["api"]
    assert container(deployment)["resources"] == {
        "requests": {"cpu": "500m", "memory": "512Mi"},
        "limits": {"cpu": "2000m", "memory": "2Gi"},
    }


@pytest.mark.parametrize("stack", WORKFLOWS)
def test_workflows_is_told_what_it_asks_for(stack: str) -> None:
    plan = known_plan(stack)
    environment = in_namespace(plan, "kubernetes:core/v1:ConfigMap", stack)["api"]["data"]
    assert {
        key: environment[key] for key in ("SERVER_PORT", "METRICS_PORT", "LOG_FORMAT", "DB_NAME", "DB_SSL_MODE")
    } == {
        "SERVER_PORT": "8080",
        "METRICS_PORT": "9090",
        "LOG_FORMAT": "json",
        "DB_NAME": "workflows",
        "DB_SSL_MODE": "require",
    }
    assert {"DB_HOST", "DB_PORT", "REDIS_HOST", "REDIS_PORT", "APP_ENV", "LOG_LEVEL"} <= set(environment)
    variables = {each["name"] for each in container(in_namespace(plan, DEPLOYMENT, stack)["api"])["env"]}
    assert {"DB_USER", "DB_PASSWORD", "JWT_SECRET"} <= variables, "by reference"
    assert not variables & set(environment)


@pytest.mark.parametrize("stack", ENVIRONMENTS)
def test_every_service_of_the_model_runs_as_it_says(stack: str) -> None:
    settings, plan = settings_of(stack), known_plan(stack)
    deployments = in_namespace(plan, DEPLOYMENT, settings.name)
    assert set(deployments) == set(settings.system.services)
    scalers, budgets = in_namespace(plan, SCALER, settings.name), in_namespace(plan, BUDGET, settings.name)
    for name, service in settings.system.services.items():
        ports = {port["name"]: port["containerPort"] for port in container(deployments[name])["ports"]}
        assert ports == {"http": service.port, "metrics": service.metrics_port}
        assert (name in scalers) == (service.scaling is not None)
        assert (name in budgets) == service.disruption_budget
    routes = in_namespace(plan, "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute", settings.name)
    assert set(routes) == {name for name, service in settings.system.services.items() if service.route}


@pytest.mark.parametrize("stack", ENVIRONMENTS)
def test_the_platform_is_there_before_the_first_service_and_leaves_after_the_last(stack: str) -> None:
    """Pulumi destroys in the opposite order."""
    settings, plan = settings_of(stack), known_plan(stack)
    releases = {each.urn for each in plan.of_type(RELEASE)}
    assert releases, "a platform of charts"
    for deployment in plan.of_type(DEPLOYMENT):
        missing = releases - plan.waits_for(deployment.urn)
        assert not missing, f"{deployment.name} does not wait for {missing}"
    (space,) = (each for each in plan.of_type(NAMESPACE) if each.inputs["metadata"]["name"] == settings.name)
    inside = [each for each in plan.resources if _namespace(each.inputs) == settings.name]
    assert all(space.urn in plan.waits_for(each.urn) for each in inside)


@pytest.mark.parametrize("stack", [stack for stack in ENVIRONMENTS if settings_of(stack).cloud is Cloud.AWS])
def test_nothing_makes_a_service_before_the_controller_of_load_balancers_is_asked(stack: str) -> None:
    plan = known_plan(stack)
    (first,) = (each for each in plan.of_type(RELEASE) if each.inputs["name"] == "aws-load-balancer-controller")
    for each in plan.resources:
        if each.urn != first.urn and each.type in (RELEASE, "kubernetes:core/v1:Service"):
            assert first.urn in plan.waits_for(each.urn), each.name


@pytest.mark.parametrize("stack", ENVIRONMENTS)
def test_pods_start_once_they_are_somebody_and_find_what_they_use(stack: str) -> None:
    settings, plan = settings_of(stack), known_plan(stack)
    who = {
        Cloud.AWS: "aws:eks/podIdentityAssociation:PodIdentityAssociation",
        Cloud.GCP: "gcp:serviceaccount/iAMMember:IAMMember",
    }[settings.cloud]
    jobs = plan.of_type("kubernetes:batch/v1:Job")
    for name, service in settings.system.services.items():
        (deployment,) = (each for each in plan.of_type(DEPLOYMENT) if each.inputs["metadata"]["name"] == name)
        before = plan.waits_for(deployment.urn)
        theirs = [each for each in plan.of_type(who) if each.name.startswith(f"{settings.name}-{name}")]
        assert all(each.urn in before for each in theirs)
        assert bool(theirs) == (service.uses_cloud if settings.cloud is Cloud.AWS else signs_in(service))
        awaited = {each.name for each in jobs if each.urn in before}
        assert (f"{settings.name}-database-role" in awaited) == service.database
        assert (f"{settings.name}-{name}-migrations" in awaited) == (service.migrations is not None)
        if settings.cloud is Cloud.AWS:
            assert (f"{settings.name}-broker-topology" in awaited) == service.broker


@pytest.mark.parametrize("stack", ENVIRONMENTS)
def test_services_call_whom_the_model_says_and_nobody_else(stack: str) -> None:
    settings, plan = settings_of(stack), known_plan(stack)
    pods = {name: _pods(settings, name) for name in settings.system.services}
    called = {
        Way(name, other, settings.system.services[other].port)
        for name, service in settings.system.services.items()
        for other in service.calls
    }
    assert ways(plan, pods) == called
    assert denied_by_default(plan, settings.name)


def test_commands_and_errors_take_the_ways_that_they_should() -> None:
    """From the portal through whoever signs users in to the scheduler; from error handling to the scheduler."""
    settings, plan = settings_of("prod"), known_plan("prod")
    found = ways(plan, {name: _pods(settings, name) for name in settings.system.services})
    assert {(way.source, way.target) for way in found} == {
        ("portal", "user"),
        ("user", "scheduler"),
        ("error-handling", "scheduler"),
    }


@pytest.mark.parametrize("stack", ENVIRONMENTS)
def test_services_reach_what_the_model_says_that_they_need_and_nothing_else(stack: str) -> None:
    settings, plan = settings_of(stack), known_plan(stack)
    for name, service in settings.system.services.items():
        found = {(end, port) for end, port, _ in egress(plan, _pods(settings, name)) if port != 53 and "/" in end}
        assert found == _needs(settings, service), name


@pytest.mark.parametrize("stack", ENVIRONMENTS)
def test_services_are_reached_by_their_callers_and_by_the_gateway_alone(stack: str) -> None:
    settings, plan = settings_of(stack), known_plan(stack)
    for name, service in settings.system.services.items():
        found = ingress(plan, _pods(settings, name))
        gateways = {each for each in found if each[0].startswith("envoy-gateway-system/")}
        assert bool(gateways) == (service.route is not None)
        assert {port for _, port, _ in gateways} <= {service.port}
        callers = {(_selector(settings, caller), service.port, "TCP") for caller in settings.system.callers(name)}
        assert found - gateways == callers


def _needs(settings: Settings, service: Service) -> set[tuple[str, int]]:
    """Where a service goes, written down once more, out of the model alone."""
    needs = {(_selector(settings, other), settings.system.services[other].port) for other in service.calls}
    if settings.cloud is Cloud.AWS:
        plan = SubnetPlan(settings.block)
        data = [plan.subnet(SubnetTier.DATA, zone) for zone in settings.section.zones]
        ports = {5432: service.database, 6379: service.cache, 5671: service.broker}
        needs |= {(block, port) for port, used in ports.items() if used for block in data}
        if service.uses_cloud:
            needs |= {("0.0.0.0/0", 443), ("169.254.170.23/32", 80)}
        return needs
    plan = known_plan(settings.stack)
    if service.database:
        (peered,) = (
            each
            for each in plan.of_type("gcp:compute/globalAddress:GlobalAddress")
            if each.inputs.get("purpose") == "VPC_PEERING" and each.inputs.get("prefixLength")
        )
        block = f"{peered.inputs['address']}/{peered.inputs['prefixLength']}"
        needs |= {(block, 5432), (block, 6432)}
    if service.cache:
        (endpoints,) = (
            each.inputs["ipCidrRange"]
            for each in plan.of_type("gcp:compute/subnetwork:Subnetwork")
            if each.name.endswith("endpoints")
        )
        needs.add((endpoints, 6379))
    if service.broker or service.uses_cloud:
        needs.add(("0.0.0.0/0", 443))
    if signs_in(service):
        needs |= {(f"169.254.169.{host}/32", port) for host, ports in _METADATA.items() for port in ports}
    return needs


_METADATA = {254: (80, 8080), 252: (987, 988)}
"""Where GKE gives pods their tokens, with Dataplane V2 and without: the ends of the addresses, and the ports."""


def _selector(settings: Settings, service: str) -> str:
    return f"{settings.name}/{NAME}={service},app.kubernetes.io/part-of={settings.system.name}"


def _pods(settings: Settings, service: str) -> Pods:
    return Pods(settings.name, {NAME: service, "app.kubernetes.io/part-of": settings.system.name})


def _namespace(inputs: dict[str, Any]) -> str:
    metadata = inputs.get("metadata")
    return metadata.get("namespace", "") if isinstance(metadata, dict) else ""


@pytest.mark.parametrize("stack", ENVIRONMENTS)
def test_every_manifest_is_valid_in_every_version_that_is_supported(stack: str) -> None:
    found = [
        f"{version}: {manifest['kind']} {manifest['metadata'].get('name')}: {problem}"
        for manifest in manifests(known_plan(stack))
        for version in VERSIONS
        for problem in invalid(manifest, version)
    ]
    assert found == []


@pytest.mark.parametrize("stack", ENVIRONMENTS)
def test_every_namespace_refuses_pods_with_rights_and_traffic_that_nobody_allowed(stack: str) -> None:
    plan = known_plan(stack)
    for space in plan.of_type(NAMESPACE):
        metadata = space.inputs["metadata"]
        assert metadata["labels"]["pod-security.kubernetes.io/enforce"] == "restricted", metadata["name"]
        assert denied_by_default(plan, metadata["name"])


@pytest.mark.parametrize("stack", ENVIRONMENTS)
def test_no_object_of_the_cluster_has_a_secret_in_plain_text(stack: str) -> None:
    plan = known_plan(stack)
    assert not [each.name for each in plan.resources if SENTINEL in json.dumps(each.inputs)]


@pytest.mark.parametrize(
    ("mirror", "chart", "repository"),
    [
        ("oci://registry.example.com/charts", "oci://registry.example.com/charts/{name}", None),
        ("https://charts.example.com/all", "{name}", "https://charts.example.com/all"),
        ("./charts", "./charts/{name}-{version}.tgz", None),
    ],
)
def test_every_chart_comes_from_the_mirror(
    mirror: str, chart: str, repository: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("charts").mkdir()
    for each in CHARTS.values():
        Path("charts", f"{each.name}-{each.version}.tgz").touch()
    plan = plan_of("workflows-aws-prod", platform={"charts": mirror})
    releases = plan.of_type(RELEASE)
    assert len(releases) > 5
    for release in releases:
        pinned = CHARTS[release.inputs["name"]]
        assert release.inputs["chart"] == chart.format(name=pinned.name, version=pinned.version)
        assert release.inputs.get("repositoryOpts", {}).get("repo") == repository
        assert release.inputs["version"] == pinned.version


def test_the_catalogue_has_the_charts_that_are_used_and_no_other() -> None:
    used = {release.inputs["name"] for stack in ENVIRONMENTS for release in known_plan(stack).of_type(RELEASE)}
    assert used == set(CHARTS)


@pytest.mark.parametrize("stack", ENVIRONMENTS)
def test_the_settings_know_which_charts_are_installed(stack: str) -> None:
    """So that those which a folder lacks are named before anything is made."""
    said = _said_to_be_installed(configuration(ROOT, stack))
    assert said == {release.inputs["name"] for release in known_plan(stack).of_type(RELEASE)}


@pytest.mark.parametrize(
    "values",
    [
        {"aws": {"cluster": {"autoMode": True}}, "nodes": "{}"},
        {"aws": {"dns": None}},
        {"services": {"portal": {"route": None}}},
        {"primaryRegion": "eu-west-1", "aws": {"primary": PRIMARY}},
    ],
)
def test_the_settings_know_what_keeps_charts_from_being_installed(values: dict[str, Any]) -> None:
    given = changed("dev", **values)
    plan = recorded(PROGRAM, given, known).plan
    assert _said_to_be_installed(given) == {release.inputs["name"] for release in plan.of_type(RELEASE)}


def _said_to_be_installed(given: Configuration) -> set[str]:
    made = load(given.stack, given.values)
    module = import_module(f"{MODULES[made.cloud]}_settings")
    return {add_on.value for add_on in module.installed(values_of(given.values), made.section, made.system)}


def test_what_a_cluster_has_already_is_not_installed() -> None:
    provided = ["cert-manager", "gateway-helm", "reloader"]
    before = {each.inputs["name"] for each in known_plan("workflows-gcp-dev").of_type(RELEASE)}
    after = {
        each.inputs["name"] for each in plan_of("workflows-gcp-dev", platform={"provided": provided}).of_type(RELEASE)
    }
    assert before - after == set(provided)


@pytest.mark.parametrize("stack", [stack for stack in ENVIRONMENTS if stack.endswith("dev")])
def test_private_images_are_pulled_with_the_secret_of_the_registry(stack: str) -> None:
    given = configuration(ROOT, stack).values.get("plinth:images", "{}")
    reference = {
        Cloud.AWS: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:registry-AbCdEf",
        Cloud.GCP: "projects/example-plinth/secrets/registry",
    }[settings_of(stack).cloud]
    images = {**json.loads(given), "registry": "registry.example.com/ours", "pullSecret": reference}
    plan = recorded(PROGRAM, changed(stack, images=images), known).plan
    for deployment in in_namespace(plan, DEPLOYMENT, settings_of(stack).name).values():
        pod = deployment["spec"]["template"]["spec"]
        assert container(deployment)["image"].startswith("registry.example.com/ours/")
        assert len(pod["imagePullSecrets"]) == 1


@pytest.mark.parametrize("stack", ENVIRONMENTS)
def test_the_databases_password_is_looked_for_every_minute(stack: str) -> None:
    """It is renewed at any time, and the former one is refused at once."""
    intervals = {
        (entry["remoteRef"]["key"].endswith("-database-credentials"), each.inputs["spec"]["refreshInterval"])
        for each in known_plan(stack).of_type("kubernetes:external-secrets.io/v1:ExternalSecret")
        for entry in each.inputs["spec"]["data"]
    }
    assert intervals == {(True, "1m"), (False, "1h")}


@pytest.mark.parametrize("stack", ENVIRONMENTS)
def test_people_look_and_operate_in_the_environments_namespace_alone(stack: str) -> None:
    plan, name = known_plan(stack), settings_of(stack).name
    bound = {
        each.inputs["roleRef"]["name"]
        for each in plan.of_type("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding")
        if each.inputs["metadata"]["namespace"] == name
        and {who["kind"] for who in each.inputs["subjects"]} == {"Group"}
    }
    assert len(bound) == 2
    assert not plan.of_type("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding")
    assert not [each for role in bound for each in _rules(plan, role) if "pods/exec" in each["resources"]]


def test_operators_may_be_let_into_pods() -> None:
    platform = {"viewers": ["lookers"], "operators": ["doers"], "operatorsExec": True}
    plan = plan_of("workflows-aws-dev", platform=platform)
    opened = {
        each.name
        for each in plan.of_type("kubernetes:rbac.authorization.k8s.io/v1:Role")
        for rule in each.inputs["rules"]
        if "pods/exec" in rule["resources"]
    }
    assert opened == {"workflows-aws-dev-operators"}


def _rules(plan: Plan, role: str) -> list[dict[str, Any]]:
    roles = plan.of_type("kubernetes:rbac.authorization.k8s.io/v1:Role")
    return [rule for each in roles if each.inputs["metadata"]["name"] == role for rule in each.inputs["rules"]]


def test_a_sealed_secret_takes_the_place_of_a_generated_one() -> None:
    sealed = "Ag" + "B" * 200
    plan = plan_of("workflows-aws-dev", secrets={"jwt-secret": {"sealed": sealed}})
    made = plan.of_type("kubernetes:bitnami.com/v1alpha1:SealedSecret")
    assert {each.inputs["metadata"]["name"] for each in made} == {"api-jwt-secret", "api-migrate-jwt-secret"}
    assert {each.inputs["spec"]["encryptedData"]["value"] for each in made} == {sealed}
    assert not [each.name for each in plan.resources if each.name == "workflows-aws-dev-jwt-secret"]


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("tier", Tier)
def test_a_systems_services_ask_for_no_more_than_they_may_take(system: str, tier: Tier) -> None:
    made: System = SYSTEMS[system](tier)
    for service in made.services.values():
        assert cpu(service.resources.cpu) <= cpu(service.resources.cpu_limit)
        assert memory(service.resources.memory) <= memory(service.resources.memory_limit)
    assert made.log_level is PROFILES[tier].running.log_level


def test_a_secrets_variable_is_its_name_in_capitals() -> None:
    assert Secret.variable("jwt-secret") == "JWT_SECRET"


CERTIFICATE = "kubernetes:cert-manager.io/v1:Certificate"


def patience(plan: Plan) -> set[tuple[str, str]]:
    """Who signs the gateway's certificates, and how many seconds they are waited for."""
    return {
        (
            made["spec"]["issuerRef"]["name"],
            made["metadata"].get("annotations", {}).get("pulumi.com/timeoutSeconds", ""),
        )
        for made in in_namespace(plan, CERTIFICATE, "envoy-gateway-system").values()
    }


def test_certificates_of_the_world_are_waited_for_where_somebody_keeps_records() -> None:
    zone = {"zone": "Z0123456789ABC"}
    host = {"api": {"route": {"host": "example.com"}}}
    kept = plan_of("workflows-aws-dev", services=host, aws={"dns": zone})
    assert patience(kept) == {("letsencrypt-prod", "1800")}
    # Whoever makes the records by hand learns of this run where they lead to.
    assert patience(plan_of("workflows-aws-dev", services=host, aws={"dns": None})) == {("letsencrypt-prod", "")}
    assert patience(known_plan("skipper-gcp-prod")) == {("internal-ca", "300")}


def test_nothing_that_runs_waits_for_a_certificate_of_the_world() -> None:
    plan = known_plan("workflows-aws-prod")
    certificates = {each.urn for each in plan.of_type(CERTIFICATE) if "envoy-gateway" in str(each.inputs)}
    assert certificates
    for each in plan.of_type(DEPLOYMENT, "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"):
        assert not certificates & set(plan.waits_for(each.urn)), each.name


@pytest.mark.parametrize(("auto_mode", "domain"), [(False, "elbv2.k8s.aws"), (True, "eks.amazonaws.com")])
def test_a_proxy_is_ready_once_the_load_balancer_finds_it_healthy_and_leaves_once_it_knows(
    auto_mode: bool, domain: str
) -> None:
    plan = plan_of("workflows-aws-dev", aws={"cluster": {"autoMode": auto_mode}})
    gate = f"{domain}/pod-readiness-gate-inject"
    gated = {each.inputs["metadata"]["name"]: each.inputs["metadata"]["labels"] for each in plan.of_type(NAMESPACE)}
    assert [name for name, labels in gated.items() if labels.get(gate) == "enabled"] == ["envoy-gateway-system"]
    (proxies,) = plan.of_type("kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyProxy")
    assert proxies.inputs["spec"]["shutdown"] == {"drainTimeout": "240s", "minDrainDuration": "150s"}


def test_each_alias_of_a_host_has_a_certificate_a_listener_and_the_route() -> None:
    services = {"api": {"route": {"host": "example.com", "aliases": ["api.example.com"]}}}
    plan = recorded(PROGRAM, changed("workflows-aws-dev", services=services), known).plan
    (gateway,) = plan.of_type("kubernetes:gateway.networking.k8s.io/v1:Gateway")
    over_tls = {each["hostname"]: each["name"] for each in gateway.inputs["spec"]["listeners"] if "tls" in each}
    assert set(over_tls) == {"example.com", "api.example.com"}
    (route,) = in_namespace(plan, "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute", "workflows-aws-dev").values()
    assert route["spec"]["hostnames"] == ["example.com", "api.example.com"]
    assert {each["sectionName"] for each in route["spec"]["parentRefs"]} == set(over_tls.values())
    named = {name for each in plan.of_type(CERTIFICATE) for name in each.inputs["spec"].get("dnsNames", [])}
    assert set(over_tls) <= named
