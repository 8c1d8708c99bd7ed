"""Jobs in a Kubernetes cluster: what runs once for each change, or on a schedule."""

import importlib.util
import json
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest

from components.component import Component
from components.service import schedule
from components.service.broker_topology import BrokerTopology
from components.service.database_role import DatabaseRole
from components.service.database_upkeep import DatabaseUpkeep
from components.service.jobs import KubernetesJob
from components.service.kubernetes import KubernetesService
from components.service.migrations import Migrations
from policy.catalogue import judge
from preview.plan import Plan
from preview.project import PreviewError
from preview.record import Answer

from ..support import ROOT, SENTINEL, known, one, planned, providers, recorded, remedies
from .examples import service_jobs
from .examples.service import BARE as SERVICE
from .examples.service_jobs import (
    EXAMPLES,
    JOB,
    JOB_FULL,
    MIGRATIONS,
    MIGRATIONS_FULL,
    ROLE,
    ROLE_FULL,
    SCHEDULED,
    TOPOLOGY,
    TOPOLOGY_FULL,
    UPKEEP,
    UPKEEP_FULL,
)
from .examples.shared import in_cluster

ONCE = "kubernetes:batch/v1:Job"
SCHEDULE = "kubernetes:batch/v1:CronJob"
FILES = "kubernetes:core/v1:ConfigMap"
ACCOUNT = "kubernetes:core/v1:ServiceAccount"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
EXTERNAL = "kubernetes:external-secrets.io/v1:ExternalSecret"
SEALED = "kubernetes:bitnami.com/v1alpha1:SealedSecret"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"

SECRETS: Any = {
    "database": {
        "variables": {"DB_PASSWORD": "password"},
        "external": {"store": "cloud", "key": "db-credentials"},
    }
}
SCRIPTS: Any = {"run.sh": "echo one"}


def named(type_: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """What a cluster answers, which names what nobody named, after its content here."""
    answers = known(type_, name, inputs)
    if type_ == FILES and "name" not in inputs["metadata"]:
        answers["metadata"] = {**inputs["metadata"], "name": f"{name}-{hash(json.dumps(inputs['data']))}"}
    return answers


def made(kind: Any, args: Any, name: str = "thing", answer: Answer | None = named, **changes: Any) -> Plan:
    """What a component registers, with some args replaced, or left out where they are None."""
    given = {key: value for key, value in {**args, **changes}.items() if value is not None}
    return planned(lambda opts: kind(name, given, in_cluster(opts)), answer)


def job(args: Any = JOB, **changes: Any) -> Plan:
    return made(KubernetesJob, args, **changes)


def refused(kind: Any, args: Any, name: str = "thing", **changes: Any) -> dict[str, str]:
    given = {key: value for key, value in {**args, **changes}.items() if value is not None}
    return remedies(lambda: kind(name, given))


def run(plan: Plan, name: str | None = None) -> dict[str, Any]:
    """What a Job is, of its own or out of a schedule."""
    (found,) = [each for each in plan.of_type(ONCE, SCHEDULE) if name in (None, each.name)]
    return found.inputs["spec"].get("jobTemplate", found.inputs)["spec"]


def runs(plan: Plan, name: str | None = None) -> dict[str, Any]:
    """The container of a job."""
    (container,) = run(plan, name)["template"]["spec"]["containers"]
    return container


def variables(plan: Plan, name: str | None = None) -> dict[str, Any]:
    """The environment variables of a job: values, and references to secrets as `<name>/<key>`."""
    return {
        entry["name"]: entry["value"] if "value" in entry else "/".join(_reference(entry))
        for entry in runs(plan, name)["env"]
    }


def _reference(entry: dict[str, Any]) -> tuple[str, str]:
    reference = entry["valueFrom"]["secretKeyRef"]
    return reference["name"], reference["key"]


def files(plan: Plan) -> dict[str, str]:
    return one(plan, FILES)["data"]


def awaited(plan: Plan, type_: str, name: str | None = None) -> set[tuple[str, str]]:
    """Types and names of what a resource waits for."""
    (resource,) = [each for each in plan.of_type(type_) if name in (None, each.name)]
    return {(plan.resource(urn).type, plan.resource(urn).name) for urn in plan.waits_for(resource.urn)}


def followed(kind: Any, args: Any, output: str) -> set[str]:
    """Types of what somebody waits for who uses an output of a component."""

    def make(opts: pulumi.ResourceOptions) -> None:
        component: Component = kind("thing", args, in_cluster(opts))
        kubernetes.core.v1.Secret(
            "follower",
            string_data={"value": getattr(component, output)},
            opts=pulumi.ResourceOptions(parent=component),
        )

    plan = planned(make, named)
    return {type_ for type_, _ in awaited(plan, "kubernetes:core/v1:Secret", "follower")}


def output(plan: Plan, kind: type, name: str = "thing") -> dict[str, Any]:
    return next(
        each for each in plan.resources if each.type == f"plinth:index:{kind.__name__}" and each.name == name
    ).outputs


CALLS = [
    pytest.param(make, id=f"{kind.__name__}-{i}") for kind, makers in EXAMPLES.items() for i, make in enumerate(makers)
]


@pytest.mark.parametrize("make", CALLS)
def test_a_job_breaks_no_rule(make: Any) -> None:
    plan = planned(lambda opts: make("thing", opts), named)
    assert [finding for finding in judge(plan) if not finding.rule.startswith("provider-")] == []


@pytest.mark.parametrize("make", CALLS)
def test_what_differs_makes_another_job_beside_the_old_one(make: Any) -> None:
    """Named by hand, the old one would have to go first, and files that a running job reads with it."""
    plan = planned(lambda opts: make("thing", opts), named)
    for each in plan.of_type(ONCE, FILES):
        assert "name" not in each.inputs["metadata"]
    assert all(each.inputs["immutable"] for each in plan.of_type(FILES))


@pytest.mark.parametrize(
    "change",
    [
        {"image": "registry.example/shop/import:1.2.4"},
        {"command": ["/import", "some"]},
        {"environment": {"LOG_LEVEL": "debug"}},
        {"scripts": {"run.sh": "echo two"}},
        {"revision": "2"},
        {"secrets": {"database": {**SECRETS["database"], "variables": {"DB_PASSWORD": "other"}}}},
        {"secrets": {"database": {"variables": {"DB_PASSWORD": "password"}, "existing": "database"}}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_decides_what_a_job_does_is_in_its_pod(change: dict[str, Any]) -> None:
    base = {"environment": {"LOG_LEVEL": "info"}, "secrets": SECRETS, "scripts": SCRIPTS, "revision": "1"}
    before, again, after = job(**base), job(**base), job(**{**base, **change})
    assert run(before)["template"] == run(again)["template"]
    assert run(before)["template"] != run(after)["template"]


def test_a_job_that_is_done_stays_and_one_that_failed_is_made_anew() -> None:
    plan = job()
    assert "ttlSecondsAfterFinished" not in run(plan)
    assert one(plan, ONCE)["metadata"]["annotations"] == {"pulumi.com/replaceUnready": "true"}


def test_a_job_ends() -> None:
    plan = job(deadline_seconds=300, retries=2)
    assert run(plan)["activeDeadlineSeconds"] == 300
    assert run(plan)["backoffLimit"] == 2
    assert run(job())["activeDeadlineSeconds"] == 600


def test_kubernetes_gives_up_before_pulumi_does() -> None:
    """It says why."""

    def program() -> None:
        opts = pulumi.ResourceOptions(providers=providers())
        KubernetesJob("thing", {**JOB, "deadline_seconds": 3600}, in_cluster(opts))

    requests = recorded(program, answer=named).recorder.requests.values()
    (timeouts,) = [request.customTimeouts for request in requests if request.type == ONCE]
    assert (timeouts.create, timeouts.update) == ("3660s", "3660s")


def test_each_try_is_a_pod_of_its_own_and_never_beside_another() -> None:
    """A pod failure policy has Kubernetes wait until a pod is gone before it makes the next."""
    spec = run(job())
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    (rule,) = spec["podFailurePolicy"]["rules"]
    assert rule == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}


def test_nodes_are_not_emptied_below_a_job() -> None:
    annotations = run(job())["template"]["metadata"]["annotations"]
    assert annotations["karpenter.sh/do-not-disrupt"] == "true"
    assert annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"


def test_a_schedule_never_runs_twice_at_a_time() -> None:
    spec = one(job(SCHEDULED), SCHEDULE)["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["startingDeadlineSeconds"] == 3600
    assert (spec["successfulJobsHistoryLimit"], spec["failedJobsHistoryLimit"]) == (3, 3)


def test_a_schedule_says_where_its_hours_are_and_whether_it_stands_still() -> None:
    spec = one(job(SCHEDULED), SCHEDULE)["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["suspend"]) == ("30 2 * * 1-5", "Europe/Berlin", True)
    spec = one(job(schedule="@daily"), SCHEDULE)["spec"]
    assert (spec["timeZone"], spec["suspend"]) == ("Etc/UTC", False)


def test_a_schedule_is_called_as_the_job_is() -> None:
    """Somebody makes a job out of it by that name."""
    plan = job(SCHEDULED)
    assert one(plan, SCHEDULE)["metadata"]["name"] == "import"
    assert one(plan, SCHEDULE)["metadata"]["annotations"] == {"pulumi.com/patchForce": "true"}
    assert output(plan, KubernetesJob)["jobName"] == "import"


@pytest.mark.parametrize("args", [JOB, SCHEDULED], ids=["once", "scheduled"])
def test_a_pod_has_an_account_and_a_policy_of_its_own_before_it_starts(args: Any) -> None:
    plan = job(args, reaches={"database": {"ports": [5432], "cidrs": ["10.0.48.0/20"]}})
    (type_,) = {each.type for each in plan.of_type(ONCE, SCHEDULE)}
    assert {(POLICY, "thing"), (ACCOUNT, "thing")} <= awaited(plan, type_)
    policy = one(plan, POLICY)["spec"]
    assert policy["podSelector"]["matchLabels"] == {
        "app.kubernetes.io/name": "import",
        "app.kubernetes.io/part-of": "shop",
    }
    assert run(plan)["template"]["metadata"]["labels"].items() >= policy["podSelector"]["matchLabels"].items()
    assert policy["ingress"] == []
    assert policy["egress"][1:] == [
        {"to": [{"ipBlock": {"cidr": "10.0.48.0/20"}}], "ports": [{"port": 5432, "protocol": "TCP"}]}
    ]
    pod = run(plan)["template"]["spec"]
    assert pod["serviceAccountName"] == "import"
    assert pod["automountServiceAccountToken"] is False


def test_a_pod_finds_its_scripts_and_cannot_change_them() -> None:
    plan = job(JOB_FULL)
    assert files(plan) == {"import.sh": "echo importing\n"}
    assert {"name": "scripts", "mountPath": "/scripts", "readOnly": True} in runs(plan)["volumeMounts"]
    (volume,) = [each for each in run(plan)["template"]["spec"]["volumes"] if each["name"] == "scripts"]
    assert volume["configMap"]["name"].startswith("thing-scripts-")
    assert (FILES, "thing-scripts") in awaited(plan, ONCE)


def test_secrets_are_references_and_are_there_first() -> None:
    plan = job(JOB_FULL)
    assert variables(plan) == {
        "APP_ENV": "prod",
        "LOG_LEVEL": "info",
        "DB_PASSWORD": "import-database/password",
        "DB_USER": "import-database/username",
        "JWT_SECRET": "import-signing/value",
        "BROKER_URL": "broker/url",
    }
    assert {(EXTERNAL, "thing-database"), (SEALED, "thing-signing")} <= awaited(plan, ONCE)
    assert output(plan, KubernetesJob)["secretNames"] == {
        "database": "import-database",
        "signing": "import-signing",
        "queue": "broker",
    }


def test_a_secret_waits_until_its_controller_made_it() -> None:
    plan = job(JOB_FULL)
    assert one(plan, EXTERNAL)["metadata"]["annotations"]["pulumi.com/waitFor"] == "condition=Ready"
    assert one(plan, SEALED)["metadata"]["annotations"]["pulumi.com/waitFor"] == "condition=Synced"


@pytest.mark.parametrize("field", ["environment", "scripts"])
def test_a_secret_in_the_open_is_refused(field: str) -> None:
    def make(opts: pulumi.ResourceOptions) -> None:
        args: Any = {**JOB, field: {"VALUE": pulumi.Output.secret(SENTINEL)}}
        KubernetesJob("thing", args, in_cluster(opts))

    with pytest.raises(PreviewError, match=rf"{field}\.VALUE: is a secret; give it through `secrets`") as caught:
        planned(make, named)
    assert SENTINEL not in str(caught.value)


def test_a_job_has_what_it_is_given() -> None:
    plan = job(JOB_FULL)
    pod = run(plan)["template"]["spec"]
    assert runs(plan)["image"] == "registry.example/shop/import:1.2.3"
    assert runs(plan)["command"] == ["/import", "all"]
    assert runs(plan)["resources"]["requests"] == {"cpu": "200m", "memory": "256Mi"}
    assert pod["imagePullSecrets"] == [{"name": "registry"}]
    assert pod["priorityClassName"] == "batch"
    assert pod["securityContext"]["runAsUser"] == 1000
    assert pod["volumes"][0]["emptyDir"] == {"sizeLimit": "1Gi"}
    role = {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/import"}
    assert one(plan, ACCOUNT)["metadata"]["annotations"] == role


@pytest.mark.parametrize(
    ("kind", "args", "field", "type_"),
    [
        (KubernetesJob, JOB, "done", ONCE),
        (KubernetesJob, SCHEDULED, "done", SCHEDULE),
        (DatabaseRole, ROLE, "role", ONCE),
        (DatabaseUpkeep, UPKEEP, "cron_job", SCHEDULE),
        (Migrations, MIGRATIONS, "done", ONCE),
        (Migrations, MIGRATIONS_FULL, "down_command", SCHEDULE),
        (BrokerTopology, TOPOLOGY, "virtual_host", ONCE),
    ],
)
def test_who_uses_what_a_job_did_waits_for_it(kind: Any, args: Any, field: str, type_: str) -> None:
    assert type_ in followed(kind, args, field)


@pytest.mark.parametrize(
    ("change", "path", "remedy"),
    [
        ({"job": "Import"}, "job", "give a DNS label"),
        ({"job": "i" * 53}, "job", "of up to 52"),
        ({"system": "shop_1"}, "system", "give a DNS label"),
        ({"image": "registry.example/import:latest"}, "image", "a tag other than latest"),
        ({"command": []}, "command", "say what is run"),
        ({"deadline_seconds": 10}, "deadline_seconds", "give 30 to 86400 seconds"),
        ({"retries": 21}, "retries", "give 0 to 20 retries"),
        ({"user": 0}, "user", "give 1 or more"),
        ({"schedule": "every day"}, "schedule", "give minute, hour"),
        ({"schedule": "0 3 * *"}, "schedule", "give minute, hour"),
        ({"schedule": "99 99 * * *"}, "schedule", "`99` is no minute: give 0 to 59"),
        ({"schedule": "0 24 * * *"}, "schedule", "`24` is no hour: give 0 to 23"),
        ({"schedule": "0 0 0 * *"}, "schedule", "`0` is no day of the month"),
        ({"schedule": "0 0 1 FOO *"}, "schedule", "`FOO` is no month: give 1 to 12, or jan to dec"),
        ({"schedule": "0 0 * * 7"}, "schedule", "`7` is no day of the week: give 0 to 6, or sun to sat"),
        ({"schedule": "*/0 * * * *"}, "schedule", "`*/0` is no minute"),
        ({"schedule": "5-1 * * * *"}, "schedule", "`5-1` is no minute"),
        ({"schedule": "1,,2 * * * *"}, "schedule", "`1,,2` is no minute"),
        ({"schedule": "@reboot"}, "schedule", "give minute, hour"),
        ({"schedule": "0 3 * * 0", "time_zone": "+02:00"}, "time_zone", "name a time zone"),
        ({"command": ["", "all"]}, "command", "say what is run"),
        ({"pull_secret": "my registry"}, "pull_secret", "253 at most"),
        ({"priority_class": "High"}, "priority_class", "253 at most"),
        ({"service_account_annotations": {"a b": "x"}}, "service_account_annotations", "no key of an annotation"),
        ({"suspended": True}, "suspended", "only a job with a `schedule`"),
        ({"time_zone": "Etc/UTC"}, "time_zone", "only a job with a `schedule`"),
        ({"schedule": "0 3 * * 0", "revision": "1"}, "revision", "leave it out"),
        ({"scripts": {"a/b": ""}}, "scripts.a/b", "name a file"),
        ({"environment": {"log-level": "info"}}, "environment.log-level", "capital letters"),
        ({"resources": {"cpu": "x", "memory": "1Gi"}}, "resources.cpu", "write a number"),
        ({"secrets": {"database": {"variables": {"A": "a"}}}}, "secrets.database", "give exactly one of"),
        ({"secrets": {"Database": {"variables": {"A": "a"}, "existing": "x"}}}, "secrets.Database", "small letters"),
        (
            {"secrets": {"database": {"variables": {"a": "a"}, "existing": "x"}}},
            "secrets.database.variables.a",
            "capital letters",
        ),
        (
            {"environment": {"A": "1"}, "secrets": {"database": {"variables": {"A": "a"}, "existing": "x"}}},
            "environment.A",
            "the secret database gives it; leave it out",
        ),
    ],
)
def test_bad_args_are_refused(change: dict[str, Any], path: str, remedy: str) -> None:
    assert remedy in refused(KubernetesJob, JOB, **change)[path]


def test_a_time_zone_is_one_that_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "_zones", lambda: frozenset({"Etc/UTC", "Europe/Berlin"}))
    assert [schedule.time_zone_problem(zone) for zone in ("Etc/UTC", "Europe/Berlin")] == [None, None]
    assert "name a time zone" in (schedule.time_zone_problem("Mars/Base") or "")
    assert "did you mean `Europe/Berlin`?" in (schedule.time_zone_problem("Europe/Berli") or "")
    # A machine without their names cannot tell.
    monkeypatch.setattr(schedule, "_zones", frozenset)
    assert schedule.time_zone_problem("Mars/Base") is None


def test_the_schedules_of_cron_are_taken() -> None:
    for when in ("0 3 * * 0", "*/15 8-18 * * MON-FRI", "0 0 1,15 * *", "@hourly", "7-59/20 0 31 dec ?"):
        assert one(job(schedule=when), SCHEDULE)["spec"]["schedule"] == when


def test_a_name_is_refused_that_no_job_can_have() -> None:
    assert "use 54 or fewer" in refused(KubernetesJob, JOB, name="t" * 55)["name"]
    assert "small letters" in refused(KubernetesJob, JOB, name="Thing")["name"]
    assert "use 49 or fewer" in refused(Migrations, MIGRATIONS, name="t" * 50)["name"]


def test_a_role_is_made_with_the_databases_own_variables() -> None:
    plan = made(DatabaseRole, ROLE_FULL)
    assert variables(plan) == {
        "PGHOST": "db.example",
        "PGPORT": "5433",
        "PGDATABASE": "shop",
        "PGSSLMODE": "verify-full",
        "PGUSER": "administrator",
        "PGPASSWORD": "administrator/password",
        "ROOT_CERTIFICATE": "-----BEGIN CERTIFICATE-----",
        "ROLE": "shop_app",
        "ROLE_PASSWORD": "database-role-password/password",
        "ROLE_SCHEMA": "shop",
        "ROLE_MEMBERS": "reports@plinth-123456.iam\nsupport@plinth-123456.iam",
        "ROLE_VISITORS": "exporter",
        "ROLE_EXTENSIONS": "pgaudit",
        "ROLE_STATEMENT_TIMEOUT": "30000",
        "ROLE_IDLE_TIMEOUT": "10000",
    }
    assert runs(plan)["image"] == "mirror.example/postgres:18.3-alpine3.23"


def test_a_bare_role_is_encrypted_and_limited() -> None:
    given = variables(made(DatabaseRole, ROLE))
    assert given["PGSSLMODE"] == "require"
    assert given["PGPORT"] == "5432"
    assert given["PGUSER"] == "database-role-administrator/username"
    assert (given["ROLE_STATEMENT_TIMEOUT"], given["ROLE_IDLE_TIMEOUT"]) == ("300000", "60000")
    assert (given["ROLE_SCHEMA"], given["ROLE_MEMBERS"]) == ("public", "")
    assert "ROLE_PASSWORD" not in given


@pytest.mark.parametrize(
    ("kind", "args"),
    [(DatabaseRole, ROLE), (DatabaseUpkeep, UPKEEP), (BrokerTopology, TOPOLOGY)],
    ids=["role", "upkeep", "topology"],
)
def test_a_script_and_all_that_it_reads_are_there(kind: Any, args: Any) -> None:
    plan = made(kind, args)
    program, *_, path = runs(plan)["command"]
    assert program in ("sh", "python3")
    found = files(plan)
    assert path.removeprefix("/scripts/") in found
    for text in found.values():
        for needed in ("postgres.sh", "database_role.sql", "database_password.sql", "database_upkeep.sql"):
            assert f"$folder/{needed}" not in text or needed in found


def test_upkeep_is_weekly_and_is_not_tried_again() -> None:
    plan = made(DatabaseUpkeep, UPKEEP)
    spec = one(plan, SCHEDULE)["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["suspend"]) == ("0 3 * * 0", "Etc/UTC", False)
    assert (run(plan)["backoffLimit"], run(plan)["activeDeadlineSeconds"]) == (0, 14400)
    assert variables(plan) == {
        "PGHOST": "db.example",
        "PGPORT": "5432",
        "PGDATABASE": "shop",
        "PGSSLMODE": "require",
        "PGUSER": "database-upkeep-credentials/username",
        "PGPASSWORD": "database-upkeep-credentials/password",
        "UPKEEP_REINDEX": "true",
        "UPKEEP_LOCK_SECONDS": "60",
    }


def test_upkeep_takes_what_it_is_given() -> None:
    plan = made(DatabaseUpkeep, UPKEEP_FULL)
    spec = one(plan, SCHEDULE)["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["suspend"]) == ("0 4 1 * *", "Europe/Berlin", True)
    assert run(plan)["activeDeadlineSeconds"] == 3600
    assert (
        variables(plan).items()
        >= {
            "PGUSER": "shop_app",
            "ROOT_CERTIFICATE": "database/ca",
            "UPKEEP_REINDEX": "false",
            "UPKEEP_LOCK_SECONDS": "5",
        }.items()
    )


def test_a_service_waits_for_its_migrations() -> None:
    def make(opts: pulumi.ResourceOptions) -> None:
        opts = in_cluster(opts)
        migrations = Migrations("migrate", MIGRATIONS, opts)
        KubernetesService(
            "api", SERVICE, pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[migrations]))
        )

    assert (ONCE, "migrate") in awaited(planned(make, named), DEPLOYMENT)


def test_migrations_are_run_by_the_services_own_image() -> None:
    plan = made(Migrations, MIGRATIONS_FULL)
    for name, command in (("thing", ["/api", "migrate", "up"]), ("thing-down", ["/api", "migrate", "down", "1"])):
        assert runs(plan, name)["image"] == "registry.example/shop/api:1.2.3"
        assert runs(plan, name)["command"] == command
        assert run(plan, name)["activeDeadlineSeconds"] == 600


def test_the_way_down_is_only_taken_by_hand_and_once() -> None:
    plan = made(Migrations, MIGRATIONS_FULL)
    assert one(plan, SCHEDULE)["spec"]["suspend"] is True
    assert run(plan, "thing-down")["backoffLimit"] == 0
    assert output(plan, Migrations)["downCommand"] == (
        "kubectl --namespace shop create job --from=cronjob/api-migrate-down api-migrate-down-$(date +%s)"
    )


def test_without_a_way_down_there_is_none() -> None:
    plan = made(Migrations, MIGRATIONS)
    assert not plan.of_type(SCHEDULE)
    assert output(plan, Migrations)["downCommand"] == ""


def test_both_ways_read_the_same_secrets() -> None:
    """Each is there once."""
    plan = made(Migrations, MIGRATIONS_FULL)
    assert variables(plan, "thing") == variables(plan, "thing-down")
    assert variables(plan, "thing")["LICENCE"] == "api-migrate-licence/value"
    assert {(EXTERNAL, "thing-database"), (SEALED, "thing-licence")} <= awaited(plan, SCHEDULE)


def test_a_broker_gets_the_definitions() -> None:
    plan = made(BrokerTopology, TOPOLOGY)
    assert json.loads(files(plan)["definitions.json"]) == TOPOLOGY["definitions"]
    assert variables(plan) == {
        "VIRTUAL_HOST": "/shop",
        "DEFINITIONS": "/scripts/definitions.json",
        "APPLICATION_CONFIGURES": "",
        "RABBITMQ_CONSOLE": "topology-administrator/console",
        "RABBITMQ_USERNAME": "topology-administrator/username",
        "RABBITMQ_PASSWORD": "topology-administrator/password",
    }
    assert output(plan, BrokerTopology)["virtualHost"] == "/shop"


def test_a_broker_gets_the_applications_user() -> None:
    plan = made(BrokerTopology, TOPOLOGY_FULL)
    assert (
        variables(plan).items()
        >= {
            "ROOT_CERTIFICATE": "-----BEGIN CERTIFICATE-----",
            "RABBITMQ_CONSOLE": "https://broker.shop.svc:15671",
            "APPLICATION_USERNAME": "topology-application/username",
            "APPLICATION_PASSWORD": "topology-application/password",
            "APPLICATION_CONFIGURES": "reply[.].*",
        }.items()
    )


def test_who_vouches_for_a_broker_can_stand_in_a_secret() -> None:
    authority: Any = {"variables": {"ROOT_CERTIFICATE": "ca.crt"}, "existing": "broker-certificate"}
    plan = made(BrokerTopology, TOPOLOGY, authority=authority)
    assert variables(plan)["ROOT_CERTIFICATE"] == "broker-certificate/ca.crt"
    assert "leave one of both out" in refused(BrokerTopology, TOPOLOGY_FULL, authority=authority)["authority"]
    other: Any = {"variables": {"CA": "ca.crt"}, "existing": "broker-certificate"}
    assert "give ROOT_CERTIFICATE" in refused(BrokerTopology, TOPOLOGY, authority=other)["authority.variables.CA"]


def test_whole_numbers_stay_so_when_another_language_sent_them() -> None:
    """RabbitMQ takes a limit of 4.0 for another one than 4."""
    sent = json.loads(json.dumps(TOPOLOGY["definitions"]), parse_int=float)
    text = files(made(BrokerTopology, TOPOLOGY, definitions=sent))["definitions.json"]
    assert text == files(made(BrokerTopology, TOPOLOGY))["definitions.json"]


PLAIN: Any = {"variables": {}, "existing": "x"}


@pytest.mark.parametrize(
    ("kind", "args", "change", "path", "remedy"),
    [
        (DatabaseRole, ROLE, {"administrator": PLAIN}, "administrator.variables.PGPASSWORD", "required"),
        (DatabaseRole, ROLE, {"administrator": PLAIN}, "administrator.variables.PGUSER", "required"),
        (DatabaseRole, ROLE, {"administrator_name": "root"}, "administrator.variables.PGUSER", "nothing reads it"),
        (
            DatabaseRole,
            ROLE,
            {"password": {"variables": {"PASSWORD": "password"}, "existing": "x"}},
            "password.variables.PASSWORD",
            "give ROLE_PASSWORD",
        ),
        (
            DatabaseRole,
            ROLE,
            {"password": {"variables": {"ROLE_PASSWORD": "password"}}},
            "password",
            "give exactly one of external, sealed, existing",
        ),
        (DatabaseRole, ROLE, {"role": "pg_app"}, "role", "PostgreSQL has that name for itself"),
        (DatabaseRole, ROLE, {"role": "a" * 64}, "role", "1 to 63"),
        (DatabaseRole, ROLE, {"schema": "pg_catalog"}, "schema", "PostgreSQL has that name for itself"),
        (DatabaseRole, ROLE, {"statement_seconds": -1}, "statement_seconds", "0 to 86400"),
        (DatabaseRole, ROLE, {"resources": {"cpu": "1", "memory": "x"}}, "resources.memory", "write a number"),
        (
            DatabaseRole,
            ROLE,
            {"database": {"host": "a", "database": "b", "ssl_mode": "prefer"}},
            "database.ssl_mode",
            "disable, require",
        ),
        (DatabaseUpkeep, UPKEEP, {"credentials": PLAIN}, "credentials.variables.PGPASSWORD", "required"),
        (DatabaseUpkeep, UPKEEP, {"lock_seconds": 0}, "lock_seconds", "1 to 3600"),
        (DatabaseUpkeep, UPKEEP, {"schedule": "weekly"}, "schedule", "give minute, hour"),
        (Migrations, MIGRATIONS, {"service": "s" * 40}, "service", "up to 39"),
        (Migrations, MIGRATIONS, {"up": []}, "up", "say what is run"),
        (Migrations, MIGRATIONS, {"secrets": {"a": PLAIN}}, "secrets.a.variables", "one environment variable"),
        (BrokerTopology, TOPOLOGY, {"administrator": PLAIN}, "administrator.variables.RABBITMQ_CONSOLE", "required"),
        (BrokerTopology, TOPOLOGY, {"application_configures": ".*"}, "application_configures", "give `application`"),
        (BrokerTopology, TOPOLOGY, {"definitions": {}}, "definitions.vhosts", "name one virtual host"),
        (
            BrokerTopology,
            TOPOLOGY,
            {"definitions": {**TOPOLOGY["definitions"], "users": []}},
            "definitions.users",
            "nothing reads it; give exchanges, queues, bindings",
        ),
    ],
)
def test_bad_args_of_what_is_around_a_service_are_refused(
    kind: Any, args: Any, change: dict[str, Any], path: str, remedy: str
) -> None:
    assert remedy in refused(kind, args, **change)[path]


@pytest.mark.parametrize(
    ("kind", "args"),
    [(DatabaseRole, ROLE), (DatabaseUpkeep, UPKEEP), (BrokerTopology, TOPOLOGY), (Migrations, MIGRATIONS)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_component_refuses_by_its_own_name_what_its_job_would(kind: Any, args: Any) -> None:
    paths = refused(kind, args, system="Shop", deadline_seconds=1)
    assert set(paths) == {"system", "deadline_seconds"}


def test_what_lies_in_the_folder_of_scripts_is_used() -> None:
    folder = ROOT / "components" / "service" / "scripts"
    used: set[str] = set()
    for kind, args in ((DatabaseRole, ROLE), (DatabaseUpkeep, UPKEEP), (BrokerTopology, TOPOLOGY)):
        used |= set(files(made(kind, args)))
    assert {path.name for path in folder.iterdir() if path.is_file()} == used - {"definitions.json"}


def _script() -> Any:
    path = ROOT / "components" / "service" / "scripts" / "broker_topology.py"
    spec = importlib.util.spec_from_file_location("script_of_topology", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_password_is_digested_as_rabbitmq_does() -> None:
    """The example of RabbitMQ's own documentation."""
    assert _script().digested("test12", bytes.fromhex("908DC60A")) == "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"


def test_what_differs_at_a_broker_is_named() -> None:
    wanted = service_jobs.TOPOLOGY["definitions"]
    present = json.loads(json.dumps(wanted))
    differences = _script().differences
    assert list(differences(wanted, present)) == []
    present["exchanges"][0]["type"] = "fanout"
    present["queues"][0]["arguments"]["x-delivery-limit"] = 19
    present["queues"][0]["arguments"]["x-max-length"] = 100
    del present["queues"][0]["arguments"]["x-overflow"]
    gone = present["bindings"].pop(0)
    assert list(differences(wanted, present)) == [
        'exchange tasks has type "fanout", not "topic"',
        "queue orders has argument x-delivery-limit 19, not 4",
        "queue orders has argument x-max-length 100, not unset",
        'queue orders has argument x-overflow unset, not "reject-publish"',
        f"binding of queue {gone['destination']} to exchange {gone['source']} by `{gone['routing_key']}` is missing",
    ]
