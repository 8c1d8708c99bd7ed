"""An environment in an existing cluster, with nothing of any cloud."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.problems import InputError
from policy.catalogue import judge
from preview.plan import Plan
from preview.project import Configuration
from stacks.environments import kubernetes_settings
from stacks.kubeconfig import kubeconfig_problem, unreachable
from stacks.settings import load

from ..manifests import VERSIONS, invalid, manifests
from ..support import ROOT, SENTINEL, known, recorded
from .reach_cluster import NAME, Pods, egress, ways

STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
SPACE = "workflows-laptop"
ADDRESS = {"host": "db.example.com", "port": 5432, "cidr": "192.0.2.0/28", "secret": "database"}
ELSEWHERE = {
    "database": ADDRESS,
    "cache": {"host": "cache.example.com", "port": 6380, "cidr": "192.0.2.16/28", "secret": "cache"},
}


@pytest.fixture
def kubeconfig(tmp_path: Path) -> str:
    """The path of a kubeconfig with a context whose cluster has a server, one whose has none, and one of no cluster."""
    path = tmp_path / "kubeconfig"
    path.write_text(
        "contexts:\n"
        "- {name: laptop, context: {cluster: laptop}}\n"
        "- {name: bare, context: {cluster: bare}}\n"
        "- {name: lost, context: {cluster: gone}}\n"
        "clusters:\n"
        "- {name: laptop, cluster: {server: 'https://127.0.0.1:1'}}\n"
        "- {name: bare, cluster: {}}\n"
        "current-context: laptop\n"
    )
    return str(path)


def values(kubeconfig: str, **more: Any) -> dict[str, str]:
    given: dict[str, Any] = {
        "system": "workflows",
        "cloud": "kubernetes",
        "tier": "dev",
        "cluster": {"kubeconfig": kubeconfig},
        "tags": {"owner": "platform"},
        **more,
    }
    config = {f"plinth:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
    return {"pulumi:disable-default-providers": '["*"]', **config}


def plan_of(kubeconfig: str, **more: Any) -> Plan:
    given = Configuration("plinth", SPACE, values(kubeconfig, **more), frozenset())
    return recorded(ROOT / "__main__.py", given, known).plan


def problems(kubeconfig: str, **more: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        load(SPACE, values(kubeconfig, **more))
    return [str(problem).removeprefix("plinth:") for problem in caught.value.problems]


def pods(name: str) -> Pods:
    return Pods(SPACE, {NAME: name, "app.kubernetes.io/part-of": "workflows"})


def test_everything_stands_in_the_cluster_and_breaks_no_rule(kubeconfig: str) -> None:
    plan = plan_of(kubeconfig)
    assert {each.inputs["metadata"]["name"] for each in plan.of_type(STATEFUL_SET)} == {
        f"{SPACE}-database",
        f"{SPACE}-cache",
    }
    made = load(SPACE, values(kubeconfig))
    installed = {add_on.value for add_on in kubernetes_settings.installed({}, made.section, made.system)}
    assert installed == {each.inputs["name"] for each in plan.of_type("kubernetes:helm.sh/v3:Release")}
    packages = {each.type.partition(":")[0] for each in plan.resources if each.custom}
    assert packages <= {"kubernetes", "random", "pulumi"}
    assert [(each.rule, each.urn) for each in judge(plan)] == []
    assert not [
        f"{manifest['kind']}: {problem}"
        for manifest in manifests(plan)
        for version in VERSIONS
        for problem in invalid(manifest, version)
    ]
    assert not [each.name for each in plan.resources if SENTINEL in json.dumps(each.inputs)]


def test_services_and_jobs_reach_what_they_use_and_nothing_else(kubeconfig: str) -> None:
    plan = plan_of(kubeconfig)
    names = ["api", "api-migrate", "database-role", "database-upkeep", f"{SPACE}-database", f"{SPACE}-cache"]
    found = {(way.source, way.target, way.port) for way in ways(plan, {name: pods(name) for name in names})}
    database, cache = (f"{SPACE}-database", 5432), (f"{SPACE}-cache", 6379)
    assert found == {
        ("api", *database),
        ("api", *cache),
        ("api-migrate", *database),
        ("database-role", *database),
        ("database-upkeep", *database),
    }


def test_servers_and_jobs_come_from_a_mirror_too(kubeconfig: str) -> None:
    plan = plan_of(kubeconfig, platform={"images": {"docker.io": "mirror.example/hub"}})
    servers = plan.of_type(STATEFUL_SET)
    assert len(servers) == 2
    upkeep = [each for each in plan.of_type("kubernetes:batch/v1:CronJob") if "upkeep" in each.name]
    for each in [*servers, *upkeep]:
        template = each.inputs["spec"].get("jobTemplate", each.inputs)["spec"]["template"]
        for container in template["spec"]["containers"]:
            assert container["image"].startswith("mirror.example/hub/"), each.name


def test_what_runs_elsewhere_is_reached_there_and_not_made(kubeconfig: str) -> None:
    plan = plan_of(kubeconfig, kubernetes=ELSEWHERE)
    assert not plan.of_type(STATEFUL_SET)
    assert not [each.name for each in plan.of_type("kubernetes:batch/v1:Job") if "role" in each.name]
    found = {(end, port) for end, port, _ in egress(plan, pods("api")) if port != 53}
    assert found == {("192.0.2.0/28", 5432), ("192.0.2.16/28", 6380)}
    (told,) = (
        each.inputs["data"]
        for each in plan.of_type("kubernetes:core/v1:ConfigMap")
        if each.inputs["metadata"].get("name") == "api"
    )
    assert (told["DB_HOST"], told["REDIS_PORT"]) == ("db.example.com", "6380")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"region": "eu-central-1"}, "region: an existing cluster stands in no cloud; leave it out"),
        ({"network": {"cidr": "10.0.0.0/16"}}, "network: an existing cluster has its network; leave it out"),
        ({"nodes": {"general": {"most": 3}}}, "nodes: an existing cluster has its nodes; leave it out"),
        ({"database": {"replicas": 2}}, "database.replicas=2: has no effect on what runs in the cluster; leave it out"),
        ({"cache": {"size": "large"}}, "cache.size=large: has no effect on what runs in the cluster; leave it out"),
        ({"platform": {"provided": ["external-dns"]}}, "platform.provided[0]=external-dns: kubernetes takes none of"),
        (
            {"platform": {"provided": ["reloader", "reloader"]}},
            "platform.provided[1]=reloader: stands twice; name each add-on once",
        ),
        ({"platform": {"charts": "http://charts"}}, "platform.charts=http://charts: charts come over oci:// or https"),
        ({"kubernetes": {"broker": {**ADDRESS, "port": 5671}}}, "kubernetes.broker: workflows has none; leave it out"),
        ({"kubernetes": {"database": {**ADDRESS, "cidr": "everywhere"}}}, "kubernetes.database.cidr=everywhere: not"),
        *(
            ({"kubernetes": {"database": {**ADDRESS, key: value}}}, f"kubernetes.database.{key}={value}: {message}")
            for key, value, message in (
                ("host", "999.1.1.1", "no IPv4 address; four numbers from 0 to 255 make one"),
                ("host", "db..x", "write a host name in small letters, like db.example.com, or an IPv4 address"),
                ("host", "db.example.com.", "write a host name in small letters"),
                (
                    "host",
                    "192.0.2.99",
                    "is not in cidr=192.0.2.0/28, and services get to that alone; give a block that",
                ),
                ("cidr", "300.0.0.0/40", "not an IPv4 block; write one like 10.20.0.0/16"),
                ("cidr", "10.0.0.5", "not an IPv4 block; write one like 10.20.0.0/16"),
                ("cidr", "10.0.0.5/24", "has host bits set; write 10.0.0.0/24"),
                ("cidr", "0.0.0.0/0", "is most of the internet; name your own addresses, in blocks of /8 or narrower"),
                ("secret", "a..b", "no name in Kubernetes; write small letters, digits, hyphens and single dots"),
                ("port", 0, "give 1 or more"),
            )
        ),
        ({"kubernetes": {"storageClass": "Not A Class"}}, "kubernetes.storageClass=Not A Class: no name in Kubernetes"),
        ({"images": {"pullSecret": "Bad Name!"}}, "images.pullSecret=Bad Name!: no name in Kubernetes; write small"),
        ({"tier": "staging"}, "kubernetes.database: staging needs one that outlives the cluster; give its address"),
        ({"tier": "staging"}, "secrets.jwt-secret.sealed: staging keeps no secret in the stack's state; seal it with"),
        ({"system": "skipper"}, "cloud=kubernetes: skipper has stores of objects, which an existing cluster has not"),
        ({"system": "skipper"}, "cloud=kubernetes: user needs a cloud's secret store or monitoring; choose aws or gcp"),
        ({"services": {"api": {"replicas": 0}}}, "services.api.replicas=0: give 1 or more"),
        (
            {"services": {"api": {"scaling": {"fewest": 4, "most": 2}}}},
            "services.api.scaling.most=2: give `fewest`, which is 4, or more",
        ),
        (
            {"services": {"api": {"resources": {"cpu": "2"}}}},
            "services.api.resources.cpuLimit=200m: give `cpu`, which is 2, or more: it is the most",
        ),
        (
            {"services": {"api": {"resources": {"memory": "1Gi"}}}},
            "services.api.resources.memoryLimit=256Mi: give `memory`, which is 1Gi, or more: it is the most",
        ),
        ({"services": {"api": {"calls": ["nobody"]}}}, "services.api.calls=nobody: "),
        ({"services": {"api": {"consumes": ["nothing"]}}}, "services.api.consumes=nothing: "),
        ({"services": {"API_2": {"replicas": 2}}}, "services.API_2: workflows has no such service; choose one of api"),
        ({"services": {"api": {"route": {"host": "no host"}}}}, "services.api.route.host=no host: write one"),
        ({"services": {"api": {"metricsPort": 8080}}}, "services.api.metricsPort=8080: `port` is this one"),
        ({"services": {"api": {"environment": {"lower": "x"}}}}, "services.api.environment.lower: name it with"),
    ],
)
def test_each_fault_gets_an_error_with_path_value_and_remedy(kubeconfig: str, more: Any, message: str) -> None:
    assert any(problem.startswith(message) for problem in problems(kubeconfig, **more)), problems(kubeconfig, **more)


@pytest.mark.parametrize("host", ["db", "db.data.svc", "db-1.example.com", "192.0.2.3"])
def test_what_runs_elsewhere_has_a_name_or_an_address(kubeconfig: str, host: str) -> None:
    given = {"kubernetes": {"database": {**ADDRESS, "host": host}}}
    assert load(SPACE, values(kubeconfig, **given)).section.database.host == host


def test_a_route_without_a_host_is_for_dev_alone(kubeconfig: str) -> None:
    assert load(SPACE, values(kubeconfig)).system.hosts == []
    more = {"tier": "prod", "alerts": {"critical": ["mailto:oncall@example.com"]}, "kubernetes": ELSEWHERE}
    found = problems(kubeconfig, **more, secrets={"jwt-secret": {"sealed": "Ag" + "B" * 100}})
    assert found == [
        "services.api.route.host: prod needs a host name, for its certificate; give one in Pulumi.workflows-laptop.yaml"
    ]


@pytest.mark.parametrize(
    ("content", "context", "path", "remedy"),
    [
        (None, None, "kubeconfig", "is not a file that can be read; give the path of a kubeconfig"),
        ("{", None, "kubeconfig", "is no kubeconfig: it names no context; give the path of one"),
        ("just text", None, "kubeconfig", "is no kubeconfig"),
        ("contexts: [{name: a, context: {}}]", None, "context", "the file has no current one; choose one of a"),
    ],
)
def test_a_kubeconfig_that_cannot_be_read_is_refused(
    tmp_path: Path, content: str | None, context: str | None, path: str, remedy: str
) -> None:
    file = tmp_path / "kubeconfig"
    if content is not None:
        file.write_text(content)
    found = kubeconfig_problem(str(file), context)
    assert found
    assert found.path == path
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("context", "remedy"),
    [
        ("lapto", "did you mean `laptop`?"),
        ("bare", "names no server for it; add one"),
        ("lost", "names no server for it; add one"),
    ],
)
def test_a_context_that_leads_nowhere_is_refused(kubeconfig: str, context: str, remedy: str) -> None:
    (found,) = problems(kubeconfig, cluster={"kubeconfig": kubeconfig, "context": context})
    assert found.startswith(f"cluster.context={context}: ")
    assert remedy in found


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[str]:
    """The path of a kubeconfig of something that answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        path = tmp_path / "listening"
        address = f"https://127.0.0.1:{server.getsockname()[1]}"
        path.write_text(
            "contexts: [{name: a, context: {cluster: a}}]\ncurrent-context: a\n"
            f"clusters: [{{name: a, cluster: {{server: '{address}'}}}}]\n"
        )
        yield str(path)


def test_a_cluster_that_does_not_answer_is_told_from_one_that_does(
    kubeconfig: str, listening: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert unreachable(listening, None) is None
    said = unreachable(kubeconfig, None) or ""
    assert said.startswith("https://127.0.0.1:1 does not answer (")
    assert said.endswith("start the cluster, or name another context")
