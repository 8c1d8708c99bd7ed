"""Databases, caches, brokers and secrets in a Kubernetes cluster."""

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components import images
from components.broker.kubernetes import KubernetesRabbitMq
from components.cache.kubernetes import KubernetesValkey
from components.component import Component
from components.database.kubernetes import KubernetesPostgres
from components.secrets.kubernetes import KubernetesGeneratedSecret
from policy.catalogue import judge
from preview.plan import UNKNOWN, Plan
from preview.record import Answer

from ..support import SENTINEL, known, one, planned, providers, recorded, remedies
from .examples.cluster_data import API, EXAMPLES, JOBS, POSTGRES, RABBITMQ, SECRET, VALKEY
from .examples.shared import Maker, in_cluster

STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
SECRET_TYPE = "kubernetes:core/v1:Secret"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
SERVICE = "kubernetes:core/v1:Service"
ACCOUNT = "kubernetes:core/v1:ServiceAccount"
CERTIFICATE = "kubernetes:cert-manager.io/v1:Certificate"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
PASSWORD = "random:index/randomPassword:RandomPassword"

Make = Callable[..., Plan]


def maker(kind: Any, bare: Any, name: str) -> Make:
    def make(answer: Answer | None = known, **changes: Any) -> Plan:
        return planned(lambda opts: kind(name, {**bare, **changes}, in_cluster(opts)), answer)

    return make


postgres = maker(KubernetesPostgres, POSTGRES, "db")
valkey = maker(KubernetesValkey, VALKEY, "kv")
rabbitmq = maker(KubernetesRabbitMq, RABBITMQ, "mq")
SERVERS = pytest.mark.parametrize("make", [postgres, valkey, rabbitmq], ids=["postgres", "valkey", "rabbitmq"])
KINDS: dict[type[Component], Any] = {
    KubernetesPostgres: POSTGRES,
    KubernetesValkey: VALKEY,
    KubernetesRabbitMq: RABBITMQ,
}


def refused(kind: Any, name: str = "db", **changes: Any) -> dict[str, str]:
    return remedies(lambda: kind(name, {**KINDS[kind], **changes}))


def outputs(plan: Plan) -> dict[str, Any]:
    return next(each.outputs for each in plan.resources if each.type.startswith("plinth:"))


def runs(plan: Plan) -> Any:
    """The one StatefulSet's spec."""
    return one(plan, STATEFUL_SET)["spec"]


def pod(plan: Plan) -> Any:
    return runs(plan)["template"]["spec"]


def container(plan: Plan) -> Any:
    (found,) = pod(plan)["containers"]
    return found


def files(plan: Plan) -> dict[str, str]:
    """The files of its configuration."""
    return one(plan, CONFIG_MAP)["data"]


def settings(text: str, separator: str) -> dict[str, str]:
    """The settings in a file, by name."""
    return {key: value for key, _, value in (line.partition(separator) for line in text.splitlines())}


def volumes(plan: Plan) -> dict[str, Any]:
    """Its volumes by the paths that they are mounted at, with the one of its claim."""
    sources = {volume["name"]: volume for volume in pod(plan)["volumes"]}
    return {mount["mountPath"]: sources.get(mount["name"], mount) for mount in container(plan)["volumeMounts"]}


def held(make: Maker) -> dict[str, dict[str, str]]:
    """What the Secrets of a component hold, out of their envelopes, by name."""
    requests = recorded(
        lambda: make("it", pulumi.ResourceOptions(providers=providers())), answer=known
    ).recorder.requests.values()
    found = {}
    for request in requests:
        if request.type == SECRET_TYPE:
            fields = request.object.fields["stringData"].struct_value.fields["value"].struct_value.fields
            name = request.object.fields["metadata"].struct_value.fields["name"].string_value
            found[name] = {key: str(field.string_value) for key, field in fields.items()}
    return found


@pytest.mark.parametrize("make", [each for calls in EXAMPLES.values() for each in calls])
def test_they_break_no_rule(make: Maker) -> None:
    plan = planned(lambda opts: make("it", opts))
    # Not a rule for the providers that the tests make, nor for what an example does without on purpose.
    ignored = ("provider-", "kubernetes-data-kept")
    assert [finding for finding in judge(plan) if not finding.rule.startswith(ignored)] == []


@SERVERS
def test_the_bare_call_is_protected_and_keeps_its_data(make: Make) -> None:
    plan = make()
    assert [each.type for each in plan.resources if each.protect] == [STATEFUL_SET]
    assert runs(plan)["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}


@SERVERS
def test_protection_and_keeping_are_flags_of_their_own(make: Make) -> None:
    assert not [each for each in make(protect=False).resources if each.protect]
    assert runs(make(protect=False))["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain"
    assert [each.type for each in make(keep=False).resources if each.protect] == [STATEFUL_SET]
    kept = runs(make(keep=False))["persistentVolumeClaimRetentionPolicy"]
    assert kept == {"whenDeleted": "Delete", "whenScaled": "Retain"}


@SERVERS
def test_a_server_is_one_pod_with_a_volume_of_its_own(make: Make) -> None:
    spec = runs(make(storage_gb=30))
    assert spec["replicas"] == 1
    (claim,) = spec["volumeClaimTemplates"]
    assert claim["metadata"]["name"] == "data"
    assert claim["spec"] == {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "30Gi"}}}
    (claim,) = runs(make(storage_class="fast"))["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == "fast"


@SERVERS
def test_a_replacement_waits_until_the_old_one_is_gone(make: Make) -> None:
    (found,) = make().of_type(STATEFUL_SET)
    assert found.options["deleteBeforeReplace"]


@SERVERS
def test_everything_is_labelled_and_the_pod_is_found_by_what_is_its_own(make: Make) -> None:
    plan = make()
    name = one(plan, STATEFUL_SET)["metadata"]["name"]
    own = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "shop"}
    for each in plan.resources:
        if each.type.startswith("kubernetes:"):
            assert each.inputs["metadata"]["labels"] == {**own, "app.kubernetes.io/managed-by": "plinth"}, each.name
            assert each.inputs["metadata"]["namespace"] == "shop", each.name
    assert runs(plan)["template"]["metadata"]["labels"].items() >= own.items()
    assert runs(plan)["selector"]["matchLabels"] == own
    assert one(plan, SERVICE)["spec"]["selector"] == own
    assert one(plan, POLICY)["spec"]["podSelector"]["matchLabels"] == own
    assert outputs(plan)["pods"] == own


@SERVERS
def test_its_address_is_a_headless_service(make: Make) -> None:
    plan = make()
    service = one(plan, SERVICE)
    assert service["spec"]["clusterIP"] == "None"
    assert runs(plan)["serviceName"] == service["metadata"]["name"]
    assert outputs(plan)["host"] == f"{service['metadata']['name']}.shop.svc"
    named = {port["name"]: port["containerPort"] for port in container(plan)["ports"]}
    assert {port["targetPort"]: port["port"] for port in service["spec"]["ports"]} == named


@SERVERS
def test_the_host_is_known_once_the_server_answers(make: Make) -> None:
    plan = make(answer=None)
    assert outputs(plan)["host"] == UNKNOWN
    # Neither waits for the other: Pulumi waits for the pods of both.
    (service,), (stateful_set,) = plan.of_type(SERVICE), plan.of_type(STATEFUL_SET)
    assert service.urn not in plan.waits_for(stateful_set.urn)
    assert stateful_set.urn not in plan.waits_for(service.urn)


@SERVERS
def test_its_service_account_may_nothing(make: Make) -> None:
    plan = make()
    assert one(plan, ACCOUNT)["automountServiceAccountToken"] is False
    assert pod(plan)["serviceAccountName"] == one(plan, ACCOUNT)["metadata"]["name"]
    assert pod(plan)["automountServiceAccountToken"] is False
    assert not [each for each in plan.resources if ":rbac." in each.type]


@SERVERS
def test_it_runs_as_the_images_user_who_may_read_its_files(make: Make) -> None:
    plan = make()
    context = pod(plan)["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"], context["fsGroup"]) == (999, 999, 999)
    # PostgreSQL takes a key of root's that the group may read and nobody else.
    assert volumes(plan)["/etc/tls"]["secret"]["defaultMode"] == 0o640


@SERVERS
def test_a_server_writes_to_volumes_alone(make: Make) -> None:
    found = container(make())
    assert found["securityContext"]["readOnlyRootFilesystem"] is True
    written = {mount["mountPath"] for mount in found["volumeMounts"] if not mount.get("readOnly")}
    assert not [path for path in written if path.startswith("/etc")]


def reached(plan: Plan) -> set[tuple[str, str, int]]:
    """Who reaches the server: namespace, name and port."""
    found = set()
    for rule in one(plan, POLICY)["spec"]["ingress"]:
        for end in rule["from"]:
            name = end["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
            namespace = end.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name", "")
            found |= {(namespace, name, port["port"]) for port in rule["ports"]}
    return found


@pytest.mark.parametrize(
    ("make", "port"), [(postgres, 5432), (valkey, 6379), (rabbitmq, 5671)], ids=["postgres", "valkey", "rabbitmq"]
)
def test_clients_reach_it_and_it_reaches_nobody(make: Make, port: int) -> None:
    plan = make(clients={"api": API, "jobs": JOBS})
    assert reached(plan) >= {("", "api", port), ("jobs", "jobs", port)}
    assert one(plan, POLICY)["spec"]["egress"] == []
    assert one(plan, POLICY)["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert {each for each in reached(make(clients={})) if each[2] == port} == set()


def test_administrators_alone_reach_the_management_of_a_broker() -> None:
    assert reached(rabbitmq()) == {("", "api", 5671), ("jobs", "jobs", 15671)}
    assert reached(rabbitmq(administrators={})) == {("", "api", 5671)}


@SERVERS
def test_its_certificate_is_for_the_names_it_is_called_by(make: Make) -> None:
    plan = make()
    certificate = one(plan, CERTIFICATE)
    name = one(plan, SERVICE)["metadata"]["name"]
    spec = certificate["spec"]
    assert spec["issuerRef"] == {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": "internal-ca"}
    assert set(spec["dnsNames"]) >= {name, outputs(plan)["host"], "localhost"}
    assert spec["secretName"] == outputs(plan)["certificateSecret"] == f"{name}-tls"
    assert volumes(plan)["/etc/tls"]["secret"]["secretName"] == spec["secretName"]
    assert int(spec["renewBefore"][:-1]) < int(spec["duration"][:-1])
    assert one(make(issuer="own-ca"), CERTIFICATE)["spec"]["issuerRef"]["name"] == "own-ca"


@SERVERS
def test_it_starts_once_it_has_its_certificate(make: Make) -> None:
    plan = make()
    (certificate,), (stateful_set,) = plan.of_type(CERTIFICATE), plan.of_type(STATEFUL_SET)
    assert certificate.urn in plan.waits_for(stateful_set.urn)
    assert certificate.inputs["metadata"]["annotations"] == {"pulumi.com/waitFor": "condition=Ready"}


@SERVERS
def test_a_cluster_without_cert_manager_does_without_tls(make: Make) -> None:
    plan = make(tls=False)
    assert not plan.of_type(CERTIFICATE)
    assert outputs(plan)["certificateSecret"] == ""
    assert "/etc/tls" not in volumes(plan)
    assert "tls" not in str(files(plan)).lower()
    assert "ssl" not in str(files(plan)).replace("hostssl", "ssl").lower()


@SERVERS
def test_another_configuration_replaces_the_pod_and_keeps_its_name(make: Make) -> None:
    def told(plan: Plan) -> tuple[str, str]:
        return (
            runs(plan)["template"]["metadata"]["annotations"]["checksum/configuration"],
            one(plan, CONFIG_MAP)["metadata"]["name"],
        )

    changed = {"resources": {"cpu": "1", "memory": "4Gi"}}
    (before, name), (after, same_name) = told(make()), told(make(**changed))
    assert before != after
    assert name == same_name
    assert told(make()) == (before, name)


@SERVERS
def test_each_password_is_generated_and_stands_in_a_url_as_it_is(make: Make) -> None:
    for each in make().of_type(PASSWORD):
        assert each.inputs["length"] == 40
        assert each.inputs["special"] is False


@SERVERS
def test_the_applications_password_changes_with_its_version_and_no_other_does(make: Make) -> None:
    before, after = ({each.name: each.inputs for each in make(password_version=i).of_type(PASSWORD)} for i in (1, 2))
    assert {name.partition("-")[2] for name in before if before[name] != after[name]} == {"credentials"}


def test_the_secrets_of_a_database_hold_all_that_a_connection_needs() -> None:
    place = {"host": "it.shop.svc", "port": "5432", "dbname": "shop", "password": SENTINEL}
    assert held(EXAMPLES[KubernetesPostgres][0]) == {
        "it-credentials": {"username": "shop_app", **place},
        "it-administrator": {"username": "postgres", **place},
    }


def test_the_secrets_of_a_broker_hold_all_that_a_connection_needs() -> None:
    place = {"host": "it.shop.svc", "port": "5671", "password": SENTINEL}
    found = held(EXAMPLES[KubernetesRabbitMq][1])
    assert found["it-credentials"] == {"username": "seller", "vhost": "shop", **place}
    console = {"console": "https://it.shop.svc:15671"}
    assert found["it-administrator"] == {"username": "administrator", **console, **place}


def test_a_cache_knows_the_digest_of_its_password_alone() -> None:
    found = held(EXAMPLES[KubernetesValkey][0])
    place = {"host": "it.shop.svc", "port": "6379"}
    assert found["it-credentials"] == {"username": "default", "password": SENTINEL, **place}
    words = found["it-users"]["users.acl"].split()
    assert words[:4] == ["user", "default", "on", f"#{hashlib.sha256(SENTINEL.encode()).hexdigest()}"]
    assert "nopass" not in words
    assert words[4:7] == ["~*", "&*", "-@all"]
    # Rules hold in their order: what is dangerous is taken away after all that might give it.
    assert words[words.index("-@dangerous") + 1 :] == ["+info", "+time", "+ping"]
    own = held(EXAMPLES[KubernetesValkey][1])["it-users"]["users.acl"]
    # Its own probes ask for a PING.
    assert own.endswith(" ~shop:* -@all +@read +ping\n")


@pytest.mark.parametrize(
    ("make", "whose"),
    [(postgres, "db-administrator"), (valkey, "kv-credentials"), (rabbitmq, "mq-administrator")],
    ids=["postgres", "valkey", "rabbitmq"],
)
def test_a_server_begins_anew_with_another_password_of_its_own(make: Make, whose: str) -> None:
    def another(type_: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
        answers = known(type_, name, inputs)
        return answers | {"result": "another"} if type_ == PASSWORD and name == whose else answers

    first, second = (
        runs(make(answer))["template"]["metadata"]["annotations"]["checksum/configuration"]
        for answer in (known, another)
    )
    assert first != second


@SERVERS
def test_a_pod_that_does_not_start_keeps_no_other_away(make: Make) -> None:
    assert runs(make())["podManagementPolicy"] == "Parallel"


def test_a_database_takes_connections_over_tls_with_scram_alone() -> None:
    found = files(postgres())
    assert [line.split() for line in found["pg_hba.conf"].splitlines()] == [
        ["local", "all", "all", "scram-sha-256"],
        ["hostssl", "all", "all", "all", "scram-sha-256"],
    ]
    assert (
        settings(found["postgresql.conf"], " = ").items()
        >= {
            "ssl": "'on'",
            "ssl_cert_file": "'/etc/tls/tls.crt'",
            "ssl_key_file": "'/etc/tls/tls.key'",
            "password_encryption": "'scram-sha-256'",
            "hba_file": "'/etc/postgresql/pg_hba.conf'",
            "max_connections": "'100'",
            "shared_buffers": "'128MB'",
        }.items()
    )
    assert files(postgres(tls=False))["pg_hba.conf"].splitlines()[1] == "host all all all scram-sha-256"


def test_a_database_has_the_settings_it_is_told() -> None:
    changed = postgres(
        max_connections=50,
        resources={"cpu": "1", "memory": "1Gi", "memory_limit": "2Gi"},
        settings={"log_statement": "all", "application_name": "it's \\ here"},
    )
    found = settings(files(changed)["postgresql.conf"], " = ")
    assert (found["max_connections"], found["shared_buffers"]) == ("'50'", "'512MB'")
    assert found["log_statement"] == "'all'"
    assert found["application_name"] == "'it''s \\\\ here'"
    assert found["log_lock_waits"] == "'on'"


@pytest.mark.parametrize("version", images.POSTGRES)
def test_each_version_has_an_image_of_one_exact_release_and_distribution(version: str) -> None:
    plan = postgres(version=version)
    assert re.fullmatch(rf"docker\.io/library/postgres:{version}\.\d+-trixie", container(plan)["image"])
    # On the volume that the image declares; and never beside the data of another version.
    mounted = "/var/lib/postgresql" if version == "18" else "/var/lib/postgresql/data"
    assert volumes(plan)[mounted]["name"] == "data"
    assert variables(plan)["PGDATA"] == f"{mounted}/pgdata"


def variables(plan: Plan) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in container(plan)["env"]}


def test_an_image_is_of_the_version_that_is_said() -> None:
    for image in ("r.example/postgres:16.15", "r.example/postgres:16"):
        assert "its tag says 16 and `version` 17" in refused(KubernetesPostgres, image=image)["image"]
    assert "`version` 18" in refused(KubernetesPostgres, version="18", image="r.example/postgres:17.2-trixie")["image"]
    digest = f"r.example/postgres@sha256:{'a' * 64}"
    for image in ("r.example/postgres:17.11", "r.example/postgres:2026.1", "r.example/postgres:stable", digest):
        assert container(postgres(image=image))["image"] == image


def test_images_are_of_exact_releases() -> None:
    assert container(postgres())["image"] == images.POSTGRES["17"]
    assert re.fullmatch(r"docker\.io/valkey/valkey:8\.\d+\.\d+", container(valkey())["image"])
    assert re.fullmatch(r"docker\.io/library/rabbitmq:4\.2\.\d+-management", container(rabbitmq())["image"])


@SERVERS
def test_a_mirror_has_the_image_too(make: Make) -> None:
    assert container(make(image="registry.example/copy:1.2"))["image"] == "registry.example/copy:1.2"


def started(
    folder: Path,
    *,
    initdb: str = 'mkdir "$data"; echo 17 >"$data/PG_VERSION"',
    single: str = "cat",
    password: str = "it",
) -> str:
    """Run the script that a database starts with, in a folder with stand-ins for its programs. Returns what ran."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    log = folder / "log"
    log.write_text("")
    stand_ins = {
        "initdb": f'for word in "$@"; do case $word in --pgdata=*) data=${{word#--pgdata=}};; esac; done\n{initdb}',
        "postgres": f'if [ "$1" = --single ]; then {single}; else ls "$PGDATA"; fi',
    }
    for name, content in stand_ins.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\nset -eu\necho {name} "$@" >>{log}\n{content} >>{log}\n')
        program.chmod(0o755)
    (folder / "password").write_text(password)
    script = folder / "start.sh"
    script.write_text(files(postgres())["start.sh"].replace("/etc/administrator/", f"{folder}/"))
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "PGDATA": str(folder / "pgdata")}
    subprocess.run(["sh", script], env=environment, check=False, capture_output=True)
    return log.read_text()


def test_a_new_volume_gets_its_database(tmp_path: Path) -> None:
    log = started(tmp_path)
    assert "--data-checksums" in log
    assert "--auth=scram-sha-256" in log
    assert f"--pwfile={tmp_path}/password" in log
    assert "CREATE DATABASE shop" in log
    assert log.endswith("postgres -c config_file=/etc/postgresql/postgresql.conf\nPG_VERSION\n")
    assert (tmp_path / "pgdata").stat().st_mode & 0o777 == 0o700


def test_the_administrators_password_is_what_its_secret_says(tmp_path: Path) -> None:
    assert "ALTER ROLE postgres PASSWORD 'first'" in started(tmp_path, password="first")
    log = started(tmp_path, password="another")
    assert "ALTER ROLE postgres PASSWORD 'another'\n" in log
    assert "initdb" not in log
    # A statement that was refused would be written to the log, and the password with it.
    assert "log_min_error_statement=panic" in log


def test_a_volume_with_a_database_keeps_it(tmp_path: Path) -> None:
    started(tmp_path)
    (tmp_path / "pgdata/rows").write_text("kept")
    # As a volume may come whose group was given rights.
    (tmp_path / "pgdata").chmod(0o770)
    log = started(tmp_path)
    assert "initdb" not in log
    assert (tmp_path / "pgdata/rows").read_text() == "kept"
    assert (tmp_path / "pgdata").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "fault", [{"initdb": 'mkdir "$data"; false'}, {"single": "false"}], ids=["initdb", "create database"]
)
def test_what_was_begun_and_not_finished_is_begun_anew(tmp_path: Path, fault: dict[str, str]) -> None:
    log = started(tmp_path, **fault)
    assert "config_file" not in log
    assert not (tmp_path / "pgdata").exists()
    assert "config_file" in started(tmp_path)


def alive(folder: Path, make: Make, programs: dict[str, str]) -> tuple[int, str]:
    """Run the script that says whether a server is alive, with stand-ins for its programs and for its files. Returns
    how it ends, and what of these ran."""
    log = folder / "log"
    log.write_text("")
    for name, content in programs.items():
        (folder / name).write_text(f"#!/bin/sh\necho {name} >>{log}\n{content}\n")
        (folder / name).chmod(0o755)
    for name, text in files(make()).items():
        (folder / name).write_text(re.sub(r"/(etc/[a-z-]+|tmp)/", f"{folder}/", text))
    (folder / "password").write_text("it")
    environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", folder / "alive.sh"], env=environment, check=False, capture_output=True)
    return done.returncode, log.read_text()


def test_a_database_is_alive_as_long_as_it_answers(tmp_path: Path) -> None:
    (tmp_path / "tls.crt").write_text("first")
    found = {
        status: alive(tmp_path, postgres, {"pg_isready": f"exit {status}", "pg_ctl": ""})[0] for status in (0, 1, 2, 3)
    }
    # 1 is an answer: it recovers, or is about to stop.
    assert found == {0: 0, 1: 0, 2: 1, 3: 1}


def test_a_database_reads_a_renewed_certificate_once(tmp_path: Path) -> None:
    def reloads() -> int:
        status, log = alive(tmp_path, postgres, {"pg_isready": "", "pg_ctl": ""})
        assert status == 0
        return log.count("pg_ctl")

    (tmp_path / "tls.crt").write_text("first")
    assert [reloads(), reloads()] == [1, 0]
    (tmp_path / "tls.crt").write_text("renewed")
    assert [reloads(), reloads()] == [1, 0]


def test_a_cache_begins_anew_with_a_renewed_certificate(tmp_path: Path) -> None:
    def lives(answer: str) -> bool:
        asked = f'[ "$REDISCLI_AUTH" = it ] && echo {answer}'
        return alive(tmp_path, valkey, {"valkey-cli": asked})[0] == 0

    for name in ("tls.crt", "served.crt"):
        (tmp_path / name).write_text("first")
    assert lives("PONG")
    assert not lives("LOADING")
    (tmp_path / "tls.crt").write_text("renewed")
    assert not lives("PONG")


def test_probes_ask_the_server() -> None:
    for make, ready, lives in (
        (postgres, ["sh", "/etc/postgresql/ready.sh"], ["sh", "/etc/postgresql/alive.sh"]),
        (valkey, ["sh", "/etc/valkey/ready.sh"], ["sh", "/etc/valkey/alive.sh"]),
        (
            rabbitmq,
            ["rabbitmq-diagnostics", "-q", "check_port_listener", "5671"],
            ["rabbitmq-diagnostics", "-q", "ping"],
        ),
    ):
        found = container(make())
        assert found["readinessProbe"]["exec"]["command"] == ready
        assert found["startupProbe"]["exec"]["command"] == ready
        assert found["livenessProbe"]["exec"]["command"] == lives
    assert "pg_isready" in files(postgres())["ready.sh"]
    assert " --tls --cacert /etc/tls/ca.crt ping" in files(valkey())["ready.sh"]
    assert "--tls" not in files(valkey(tls=False))["ready.sh"]


@SERVERS
def test_a_server_has_minutes_to_start(make: Make) -> None:
    probe = container(make())["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 300


def test_a_cache_listens_over_tls_alone_and_writes_down_what_it_holds() -> None:
    found = settings(files(valkey())["valkey.conf"], " ")
    assert (found["port"], found["tls-port"], found["tls-auth-clients"]) == ("0", "6379", "no")
    assert (found["appendonly"], found["dir"]) == ("yes", "/data")
    assert found["aclfile"] == "/etc/valkey-users/users.acl"
    assert volumes(valkey())["/data"]["name"] == "data"
    assert settings(files(valkey(tls=False))["valkey.conf"], " ")["port"] == "6379"


def test_a_full_cache_forgets_what_it_is_told_to_before_its_pod_is_full() -> None:
    found = settings(files(valkey())["valkey.conf"], " ")
    assert (found["maxmemory"], found["maxmemory-policy"]) == (str(128 * 2**20), "volatile-lru")
    changed = valkey(eviction="noeviction", resources={"cpu": "1", "memory": "1Gi", "memory_limit": "2Gi"})
    found = settings(files(changed)["valkey.conf"], " ")
    assert (found["maxmemory"], found["maxmemory-policy"]) == (str(2**30), "noeviction")


def test_a_broker_listens_over_tls_alone() -> None:
    found = settings(files(rabbitmq())["rabbitmq.conf"], " = ")
    assert (found["listeners.tcp"], found["listeners.ssl.default"]) == ("none", "5671")
    assert found["management.ssl.port"] == "15671"
    assert not [key for key in found if key.startswith("management.tcp")]
    for which in ("ssl_options", "management.ssl"):
        assert {found[f"{which}.versions.{i}"] for i in (1, 2)} == {"tlsv1.3", "tlsv1.2"}
        assert found[f"{which}.keyfile"] == "/etc/tls/tls.key"


def test_a_broker_without_tls_says_so() -> None:
    plan = rabbitmq(tls=False)
    found = settings(files(plan)["rabbitmq.conf"], " = ")
    assert (found["listeners.tcp.default"], found["management.tcp.port"]) == ("5672", "15672")
    assert outputs(plan)["protocol"] == "amqp"
    assert outputs(plan)["consoleUrl"] == "http://mq.shop.svc:15672"
    assert outputs(plan)["address"] == "mq.shop.svc:5672//"
    assert outputs(rabbitmq())["address"] == "mq.shop.svc:5671//"


def test_a_broker_stops_taking_messages_before_its_pod_and_its_volume_are_full() -> None:
    changed = rabbitmq(resources={"cpu": "1", "memory": "1Gi", "memory_limit": "2Gi"}, storage_gb=10)
    found = settings(files(changed)["rabbitmq.conf"], " = ")
    assert found["vm_memory_high_watermark.absolute"] == "1024MiB"
    assert found["disk_free_limit.absolute"] == "2048MiB"


def test_a_broker_finds_its_data_again_and_is_reached_by_no_other_node() -> None:
    plan = rabbitmq()
    found = variables(plan)
    assert found["RABBITMQ_NODENAME"] == "rabbit@localhost"
    assert volumes(plan)["/var/lib/rabbitmq/mnesia"]["name"] == "data"
    assert found["ERL_EPMD_ADDRESS"] == "127.0.0.1"
    assert "{127,0,0,1}" in found["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"]
    assert found["ERL_CRASH_DUMP_SECONDS"] == "0"
    # The cookie must be another one's to nobody, which a volume's group would be.
    assert "emptyDir" in volumes(plan)["/var/lib/rabbitmq"]


def test_a_broker_has_one_user_whose_password_is_what_its_secret_says() -> None:
    sources = volumes(rabbitmq())["/etc/rabbitmq"]["projected"]["sources"]
    assert sources == [{"configMap": {"name": "mq-configuration"}}, {"secret": {"name": "mq-definitions"}}]
    found = settings(files(rabbitmq())["rabbitmq.conf"], " = ")
    assert found["load_definitions"] == "/etc/rabbitmq/definitions.json"
    definitions = json.loads(held(EXAMPLES[KubernetesRabbitMq][0])["it-definitions"]["definitions.json"])
    assert definitions["users"] == [{"name": "administrator", "password": SENTINEL, "tags": "administrator"}]
    assert [each["name"] for each in definitions["vhosts"]] == ["/"]
    (rights,) = definitions["permissions"]
    assert {rights[each] for each in ("configure", "write", "read")} == {".*"}
    assert (rights["user"], rights["vhost"]) == ("administrator", "/")


def test_a_broker_has_the_settings_it_is_told() -> None:
    found = settings(files(rabbitmq(settings={"max_message_size": "1024"}))["rabbitmq.conf"], " = ")
    assert (found["max_message_size"], found["consumer_timeout"]) == ("1024", "1800000")
    found = settings(files(rabbitmq(settings={"consumer_timeout": "1000"}))["rabbitmq.conf"], " = ")
    assert found["consumer_timeout"] == "1000"
    assert files(rabbitmq())["enabled_plugins"] == "[rabbitmq_management].\n"


def generated(**changes: Any) -> Plan:
    args: Any = {**SECRET, **changes}
    return planned(lambda opts: KubernetesGeneratedSecret("signing", args, in_cluster(opts)))


def test_a_generated_secret_holds_one_value_that_changes_with_its_version() -> None:
    assert held(EXAMPLES[KubernetesGeneratedSecret][0]) == {"it": {"value": SENTINEL}}
    plan = generated()
    assert outputs(plan) == {"secret": "signing"}
    assert one(plan, SECRET_TYPE)["metadata"]["namespace"] == "shop"
    assert one(plan, PASSWORD)["length"] == 64
    assert one(generated(length=32), PASSWORD)["length"] == 32
    assert one(generated(version=2), PASSWORD) != one(plan, PASSWORD)


def test_a_generated_secret_refuses_bad_args() -> None:
    def problems(name: str = "signing", **changes: Any) -> dict[str, str]:
        args: Any = {**SECRET, **changes}
        return remedies(lambda: KubernetesGeneratedSecret(name, args))

    assert "32 to 128" in problems(length=31)["length"]
    assert problems(version=0) == {"version": "give 1 or more"}
    assert "DNS label" in problems(system="Shop")["system"]
    assert "no hyphen first" in problems(name="-x")["name"]
    assert "use 63 or fewer" in problems(name="x" * 64)["name"]


@pytest.mark.parametrize("kind", KINDS)
def test_all_servers_refuse_what_they_could_not_run(kind: type[Component]) -> None:
    assert "DNS label" in refused(kind, system="Shop")["system"]
    assert "DNS label" in refused(kind, name="DB")["name"]
    assert "use 52 or fewer" in refused(kind, name="d" * 53)["name"]
    assert "leave it out" in refused(kind, tls=False, issuer="own-ca")["issuer"]
    assert "all pods of the namespace" in refused(kind, clients={"api": {"pods": {}}})["clients.api.pods"]
    assert "Mi or Gi" in refused(kind, resources={"cpu": "1", "memory": "64m"})["resources.memory"]
    assert "tag other than latest" in refused(kind, image="postgres")["image"]
    assert "253 at most" in refused(kind, storage_class="Fast Disks")["storage_class"]
    assert "253 at most" in refused(kind, issuer="Own CA")["issuer"]
    assert "DNS label" in refused(kind, namespace="my shop")["namespace"]
    less = {"cpu": "1", "memory": "1Gi", "cpu_limit": "1m"}
    assert set(refused(kind, image="x", resources=less)) == {"image", "resources.cpu_limit"}
    assert refused(kind, password_version=0) == {"password_version": "give 1 or more"}
    assert "GiB" in refused(kind, storage_gb=0)["storage_gb"]


def test_a_database_refuses_bad_args() -> None:
    def problems(**changes: Any) -> dict[str, str]:
        return refused(KubernetesPostgres, **changes)

    assert problems(version="14") == {"version": "choose one of 15, 16, 17, 18"}
    assert "up to 59" in problems(database="d" * 60)["database"]
    assert "small letter" in problems(database="shop; DROP")["database"]
    assert "10 to 10000" in problems(max_connections=5)["max_connections"]
    assert "256Mi or more" in problems(resources={"cpu": "1", "memory": "128Mi"})["resources.memory"]
    own = dict.fromkeys(("ssl", "ssl_ciphers", "hba_file", "include", "max_connections", "port"), "x")
    found = problems(settings={**own, "Work Mem": "1", "work_mem": "1MB\nssl = off"})
    assert set(found) == {f"settings.{key}" for key in (*own, "Work Mem", "work_mem")}
    assert all("follows from the args" in found[f"settings.{key}"] for key in own)
    assert "one line" in found["settings.work_mem"]


def test_a_cache_refuses_bad_args() -> None:
    def problems(**changes: Any) -> dict[str, str]:
        return refused(KubernetesValkey, **changes)

    assert "did you mean `allkeys-lru`?" in problems(eviction="allkeys_lru")["eviction"]
    for access in ("on ~* +@all", "~* >password", "~* +@all\nuser x on nopass +@all", "", "~* nopass"):
        assert "without `on` and passwords" in problems(access=access)["access"]


def test_a_broker_refuses_bad_args() -> None:
    def problems(**changes: Any) -> dict[str, str]:
        return refused(KubernetesRabbitMq, **changes)

    assert "are taken" in problems(username="guest")["username"]
    assert "give /" in problems(virtual_host="a b")["virtual_host"]
    assert "512Mi or more" in problems(resources={"cpu": "1", "memory": "256Mi"})["resources.memory"]
    assert "administrators.jobs.pods" in problems(administrators={"jobs": {"pods": {}}})
    of_users = ("default_pass", "definitions.local.path", "load_definitions", "loopback_users.guest")
    own = dict.fromkeys(("listeners.tcp.default", "management.tcp.port", "ssl_options.verify", *of_users), "x")
    found = problems(settings={**own, "a b": "x", "max_message_size": "1\nlisteners.tcp.default = 5672"})
    assert set(found) == {f"settings.{key}" for key in (*own, "a b", "max_message_size")}


def test_all_problems_are_reported_together() -> None:
    found = refused(
        KubernetesRabbitMq,
        tls=False,
        issuer="own-ca",
        settings={"listeners.tcp": "none"},
        clients={"api": {"pods": {}}},
        resources={"cpu": "0", "memory": "1Gi"},
    )
    assert set(found) == {"issuer", "settings.listeners.tcp", "clients.api.pods", "resources.cpu"}
