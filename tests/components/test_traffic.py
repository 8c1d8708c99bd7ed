"""Network policies: who is named in them, and who is not."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components.broker.kubernetes import KubernetesRabbitMq
from components.cache.kubernetes import KubernetesValkey
from components.component import Component
from components.database.kubernetes import KubernetesPostgres
from components.platform import add_on
from components.platform.traffic import Peer, peer_problems
from components.service.broker_topology import BrokerTopology
from components.service.database_role import DatabaseRole
from components.service.database_upkeep import DatabaseUpkeep
from components.service.jobs import KubernetesJob
from components.service.kubernetes import KubernetesService
from components.service.migrations import Migrations
from preview.plan import Plan
from preview.project import PreviewError

from ..support import one, planned, remedies
from .examples.cluster_data import POSTGRES, RABBITMQ, VALKEY
from .examples.service import BARE, FULL
from .examples.service_jobs import JOB, MIGRATIONS, ROLE, TOPOLOGY, UPKEEP
from .examples.shared import in_cluster

POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
CALLED: dict[type[Component], Any] = {
    KubernetesService: BARE,
    KubernetesJob: JOB,
    Migrations: MIGRATIONS,
    DatabaseRole: ROLE,
    DatabaseUpkeep: UPKEEP,
    BrokerTopology: TOPOLOGY,
}
"""Who reaches others, and a call of each."""
SERVERS: dict[type[Component], Any] = {
    KubernetesPostgres: POSTGRES,
    KubernetesValkey: VALKEY,
    KubernetesRabbitMq: RABBITMQ,
}
API = {"app": "api"}


def service(**changes: Any) -> Plan:
    args: Any = {**BARE, **changes}
    return planned(lambda opts: KubernetesService("api", args, in_cluster(opts)))


def rules(plan: Plan, way: str) -> list[Any]:
    return one(plan, POLICY, "api")["spec"][way]


@pytest.mark.parametrize(
    ("peer", "path", "remedy"),
    [
        ({"ports": [], "everybody": True}, ".ports", "without any it would be all of them"),
        ({"ports": [0], "everybody": True}, ".ports[0]", "give 1 to 65535"),
        ({"ports": [443, 99999], "everybody": True}, ".ports[1]", "give 1 to 65535"),
        ({"ports": [5432]}, "", "say who that is"),
        ({"ports": [5432], "everybody": False}, "", "say who that is"),
        ({"ports": [5432], "everybody": True, "cidrs": ["10.0.0.0/8"]}, ".cidrs", "leave one out"),
        ({"ports": [5432], "everybody": True, "pods": API}, ".pods", "leave one out"),
        ({"ports": [5432], "everybody": True, "namespace": "shop"}, ".namespace", "leave one out"),
        ({"ports": [5432], "cidrs": ["10.0.0.0/8"], "pods": API}, ".pods", "make two peers"),
        ({"ports": [5432], "cidrs": ["10.0.0.0/8"], "namespace": "shop"}, ".namespace", "make two peers"),
        ({"ports": [5432], "cidrs": []}, ".cidrs", "name a block or more"),
        ({"ports": [5432], "cidrs": ["10.0.0.0/40"]}, ".cidrs[0]", "give an IPv4 block"),
        ({"ports": [5432], "cidrs": ["10.0.0.0/8", "10.1.2.3"]}, ".cidrs[1]", "give an IPv4 block"),
        ({"ports": [5432], "cidrs": ["10.0.0.5/24"]}, ".cidrs[0]", "by its first address"),
        ({"ports": [5432], "pods": {}}, ".pods", "all pods of the namespace"),
        ({"ports": [5432], "pods": {"a b": "x"}}, ".pods.a b", "no key of a label"),
        ({"ports": [5432], "pods": {"Shop_/app": "x"}}, ".pods.Shop_/app", "no key of a label"),
        ({"ports": [5432], "pods": {"app": "a b"}}, ".pods.app", "letter or digit first and last"),
        ({"ports": [5432], "namespace": "My Shop"}, ".namespace", "DNS label"),
        ({"ports": [1], "pods": API, "excepted_cidrs": ["10.0.0.0/8"]}, ".excepted_cidrs", "give those"),
        ({"ports": [1], "cidrs": ["10.0.0.0/8"], "excepted_cidrs": ["x"]}, ".excepted_cidrs[0]", "IPv4 block"),
        ({"ports": [1], "cidrs": ["10.0.0.0/8"], "excepted_cidrs": ["11.0.0.0/9"]}, ".excepted_cidrs[0]", "inside"),
        ({"ports": [1], "cidrs": ["10.0.0.0/8"], "excepted_cidrs": ["10.0.0.0/8"]}, ".excepted_cidrs[0]", "smaller"),
    ],
)
def test_who_says_too_little_or_too_much_is_refused(peer: Any, path: str, remedy: str) -> None:
    problems = {problem.path: problem.remedy for problem in peer_problems("here", peer)}
    assert list(problems) == [f"here{path}"]
    assert remedy in problems[f"here{path}"]


@pytest.mark.parametrize(
    "peer",
    [
        {"ports": [1, 65535], "everybody": True},
        {"ports": [443], "pods": {"app.kubernetes.io/name": "api", "plain": ""}},
        {"ports": [443], "pods": API, "namespace": "shop"},
        {"ports": [443], "namespace": "shop", "everybody": False},
        {"ports": [443], "cidrs": ["0.0.0.0/0"], "excepted_cidrs": ["10.0.0.0/8", "169.254.0.0/16"]},
        {"ports": [53], "cidrs": ["169.254.20.10/32"]},
    ],
)
def test_who_is_named_in_one_way_passes(peer: Peer) -> None:
    assert list(peer_problems("here", peer)) == []


def test_the_peers_of_add_ons_are_sound() -> None:
    for peers in (add_on.API_SERVER, add_on.AWS_IDENTITY, add_on.GOOGLE_IDENTITY, add_on.called_at(443)):
        assert [problem for name, peer in peers.items() for problem in peer_problems(name, peer)] == []


@pytest.mark.parametrize("kind", CALLED, ids=lambda kind: kind.__name__)
def test_all_who_reach_others_refuse_to_reach_anybody_by_mistake(kind: Any) -> None:
    args = {**CALLED[kind], "reaches": {"data": {"ports": []}}}
    assert set(remedies(lambda: kind("thing", args))) == {"reaches.data", "reaches.data.ports"}


@pytest.mark.parametrize("kind", SERVERS, ids=lambda kind: kind.__name__)
def test_servers_refuse_clients_that_are_nobody(kind: Any) -> None:
    args = {**SERVERS[kind], "clients": {"api": {"pods": {}, "namespace": "A"}, "jobs": {"pods": {"-": "x"}}}}
    assert set(remedies(lambda: kind("thing", args))) == {
        "clients.api.pods",
        "clients.api.namespace",
        "clients.jobs.pods.-",
    }


def test_a_route_names_its_gateway() -> None:
    route = {**FULL["route"], "gateway": "Public", "gateway_namespace": "a b", "gateway_pods": {}}  # pyright: ignore[reportTypedDictNotRequiredAccess]
    args: Any = {**FULL, "route": route}
    assert set(remedies(lambda: KubernetesService("api", args))) == {
        "route.gateway",
        "route.gateway_namespace",
        "route.gateway_pods",
    }


def test_everybody_is_let_in_at_the_ports_alone() -> None:
    plan = service(reached_by={"all": {"ports": [8080], "everybody": True}})
    assert rules(plan, "ingress") == [{"ports": [{"port": 8080, "protocol": "TCP"}]}]


def test_names_are_resolved_wherever_a_cluster_does_that() -> None:
    (dns,) = rules(service(), "egress")
    assert {each["ipBlock"]["cidr"] for each in dns["to"] if "ipBlock" in each} == {
        "169.254.20.10/32",
        "169.254.169.254/32",
    }
    assert dns["ports"] == [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]


@pytest.mark.parametrize(
    ("peer", "path"),
    [
        (lambda: {"ports": [5432], "cidrs": pulumi.Output.from_input([])}, r"reaches\.data\.cidrs"),
        (lambda: {"ports": [5432], "cidrs": pulumi.Output.from_input(["10.0.0.0/40"])}, r"reaches\.data\.cidrs\[0\]"),
        (lambda: {"ports": [5432], "cidrs": [pulumi.Output.from_input("x")]}, r"reaches\.data\.cidrs\[0\]"),
        (lambda: {"ports": [5432], "pods": pulumi.Output.from_input({})}, r"reaches\.data\.pods"),
    ],
)
def test_what_is_known_later_is_refused_then_with_its_path(peer: Callable[[], Any], path: str) -> None:
    def make(opts: pulumi.ResourceOptions) -> None:
        args: Any = {**BARE, "reaches": {"data": peer()}}
        KubernetesService("api", args, in_cluster(opts))

    with pytest.raises(PreviewError, match=rf"KubernetesService api: 1 problem\s+{path}"):
        planned(make)


@pytest.mark.parametrize("kind", SERVERS, ids=lambda kind: kind.__name__)
def test_pods_of_servers_services_and_jobs_are_let_in_to_each_other(kind: Any) -> None:
    def make(opts: pulumi.ResourceOptions) -> None:
        opts = in_cluster(opts)
        job = KubernetesJob("job", {**JOB, "job": "import"}, opts)
        web = KubernetesService("web", {**BARE, "service": "web"}, opts)
        server = kind("data", {**SERVERS[kind], "clients": {"web": {"pods": web.pods}}}, opts)
        data = pulumi.Output.from_input(server.pods) if kind is KubernetesPostgres else server.pods
        args: Any = {
            **BARE,
            "reaches": {"data": {"ports": [5432], "pods": data}},
            "reached_by": {
                "job": {"ports": [8080], "pods": job.pods},
                "web": {"ports": [8080], "pods": web.pods, "namespace": "other"},
            },
        }
        KubernetesService("api", args, opts)

    plan = planned(make)

    def pods(name: str) -> dict[str, str]:
        return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "shop"}

    of_job, of_web = rules(plan, "ingress")
    assert of_job["from"] == [{"podSelector": {"matchLabels": pods("import")}}]
    assert of_web["from"] == [
        {
            "podSelector": {"matchLabels": pods("web")},
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}},
        }
    ]
    assert rules(plan, "egress")[1]["to"] == [{"podSelector": {"matchLabels": pods("data")}}]
    ((let_in,),) = [rule["from"] for rule in one(plan, POLICY, "data")["spec"]["ingress"][:1]]
    assert let_in == {"podSelector": {"matchLabels": pods("web")}}
