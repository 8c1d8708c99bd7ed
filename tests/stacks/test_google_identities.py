"""On Google Cloud, what each service was granted: what the model says that it needs, and nothing else."""

import re
from collections.abc import Iterator

import pytest

from preview.plan import Plan, Resource
from stacks.environments.gcp_settings import signs_in
from stacks.model import Service, System
from stacks.settings import Settings, load

from ..support import ROOT, configuration, known_plan

STACKS = ("skipper-gcp-dev", "skipper-gcp-prod")
GRANT = re.compile(r"gcp:.+:\w*(IAM|Iam)Member")
ON_PROJECT = "gcp:projects/iAMMember:IAMMember"
BASIC = {"roles/owner", "roles/editor", "roles/viewer"}
TARGETS = ("secretId", "bucket", "topic", "subscription", "serviceAccountId", "cryptoKeyId", "repository", "name")
"""The properties that name what something is granted on, by how often they do."""

Granted = tuple[str, str]
"""A role, and what it is granted on."""


def grants(plan: Plan) -> list[Resource]:
    return [each for each in plan.resources if GRANT.fullmatch(each.type)]


def granted_to(plan: Plan, account: str) -> set[Granted]:
    """What an account was granted, by role and by the resource, or by the condition that stands for one."""
    found = set()
    for each in grants(plan):
        if str(each.inputs["member"]).startswith(f"serviceAccount:{account}@"):
            found.add((short(each.inputs["role"]), target(each)))
    return found


def short(role: str) -> str:
    return re.sub(r"_[0-9a-f]{8}$", "", role.rpartition("/")[2])


def target(grant: Resource) -> str:
    if grant.type == ON_PROJECT:
        return str(grant.inputs.get("condition", {}).get("expression", "the project"))
    return next(str(grant.inputs[key]) for key in TARGETS if key in grant.inputs)


def needed(plan: Plan, settings: Settings, name: str, service: Service) -> Iterator[Granted]:
    """What a service needs, out of the model and the outputs of the environment."""
    out = plan.outputs
    for store in service.reads:
        yield "storage.objectViewer", out["stores"][store]
    for store in service.appends:
        yield "storage.objectCreator", out["stores"][store]
    for exchange in service.publishes:
        yield "pubsub.publisher", out["brokerExchanges"][exchange]
    for queue in service.consumes:
        yield "pubsub.subscriber", out["brokerQueues"][queue]
    project, number = settings.section.project, settings.section.project_number
    if service.database:
        instance = one_name(plan, "gcp:sql/databaseInstance:DatabaseInstance", f"{settings.name}-database")
        database = f"projects/{project}/instances/{instance}"
        only = f'resource.service == "sqladmin.googleapis.com" && resource.name == "{database}"'
        yield "cloudsql.client", only
        yield "cloudsql.instanceUser", only
    if service.cache:
        cache = f"projects/{project}/locations/{settings.region}/instances/{settings.name}-cache"
        yield "memorystore.dbConnectionUser", f'resource.name == "{cache}"'
    if service.reports_metrics:
        yield "monitoring.metricWriter", "the project"
    theirs = f'resource.name.startsWith("projects/{number}/secrets/{settings.name}-credentials-")'
    if service.uses_credentials:
        yield "secretmanager.secretAccessor", theirs
    if service.keeps_credentials:
        keeper = f"{settings.name}-{name}".replace("-", "_")
        yield keeper, f'{theirs} || resource.type == "cloudresourcemanager.googleapis.com/Project"'


def one_name(plan: Plan, type_: str, name: str) -> str:
    return next(f"{each.name}-1234567" for each in plan.of_type(type_) if each.name == name)


def environment(stack: str) -> tuple[Plan, Settings, System]:
    settings = load(stack, configuration(ROOT, stack).values)
    return known_plan(stack), settings, settings.system


@pytest.mark.parametrize("stack", STACKS)
def test_each_service_is_granted_what_it_needs_and_nothing_else(stack: str) -> None:
    plan, settings, system = environment(stack)
    for name, service in system.services.items():
        wanted = set(needed(plan, settings, name, service))
        assert granted_to(plan, f"skipper-{settings.tier.value}-{name}") == wanted, name


@pytest.mark.parametrize("stack", STACKS)
def test_pods_act_as_their_own_service_alone(stack: str) -> None:
    plan, settings, system = environment(stack)
    acts = [
        each for each in plan.of_type("gcp:serviceaccount/iAMMember:IAMMember") if each.inputs["role"].endswith("User")
    ]
    of_pods = {each.name: each.inputs["member"] for each in acts if "svc.id.goog" in each.inputs["member"]}
    pool = f"serviceAccount:{settings.section.project}.svc.id.goog"
    assert of_pods == {
        f"{settings.name}-external-secrets-pods": f"{pool}[external-secrets/external-secrets]",
        **{
            f"{settings.name}-{name}-pods": f"{pool}[{settings.name}/{name}]"
            for name, service in system.services.items()
            if signs_in(service)
        },
    }


@pytest.mark.parametrize("stack", STACKS)
def test_external_secrets_reads_what_services_are_given_and_nothing_else(stack: str) -> None:
    """Services read none of their own: they are given them."""
    plan, settings, _ = environment(stack)
    out = plan.outputs
    given = [*out["secrets"].values(), out["databaseSecret"], out["databaseAdministratorSecret"], out["cacheSecret"]]
    wanted = {("secretmanager.secretAccessor", reference) for reference in given}
    assert granted_to(plan, f"skipper-{settings.tier.value}-secrets") == wanted


@pytest.mark.parametrize("stack", [*STACKS, "account-gcp"])
def test_nobody_has_a_basic_role_and_no_policy_is_replaced(stack: str) -> None:
    plan = known_plan(stack)
    assert len(grants(plan)) > 20
    assert not {each.inputs["role"] for each in grants(plan)} & BASIC
    authoritative = re.compile(r"gcp:.+:\w*(IAM|Iam)(Policy|Binding)")
    assert not [each.name for each in plan.resources if authoritative.fullmatch(each.type)]


@pytest.mark.parametrize("stack", STACKS)
def test_what_is_granted_on_the_project_is_held_to_a_resource(stack: str) -> None:
    """But for what has none: logs and metrics are the project's, and workflows have no policies."""
    free = {
        each.inputs["role"]
        for each in grants(known_plan(stack))
        if each.type == ON_PROJECT and "condition" not in each.inputs
    }
    nodes = "roles/container.defaultNodeServiceAccount"
    assert free - {"roles/logging.logWriter", "roles/workflows.invoker"} == {nodes, "roles/monitoring.metricWriter"}
