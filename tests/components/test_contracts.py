"""What each concern looks like to a service, held against every implementation on every cloud."""

import inspect
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pulumi
import pytest
import yaml

from components import contracts
from components.broker.amazonmq import AmazonMqBroker
from components.broker.kubernetes import KubernetesRabbitMq
from components.broker.pubsub import PubSubBroker
from components.cache.elasticache import ElastiCacheValkey
from components.cache.kubernetes import KubernetesValkey
from components.cache.memorystore import MemorystoreValkey
from components.cluster.eks import EksCluster
from components.cluster.gke import GkeCluster
from components.component import Component, camel_case
from components.database.cloudsql import CloudSqlPostgres
from components.database.kubernetes import KubernetesPostgres
from components.database.rds import RdsPostgres
from components.host import components
from components.secrets.aws import AwsSecret
from components.secrets.gcp import GcpGeneratedSecret, GcpSecret
from components.secrets.generated import AwsGeneratedSecret
from components.secrets.kubernetes import KubernetesGeneratedSecret
from components.security.gcp_identity import GcpServiceAccount
from components.security.iam import AwsServiceRole
from components.storage.gcs import GcsObjectStore
from components.storage.s3 import S3ObjectStore

from ..support import known, providers, recorded
from .examples import EXAMPLES, Maker

IMPLEMENTATIONS: dict[type, tuple[type[Component], ...]] = {
    contracts.Cluster: (EksCluster, GkeCluster),
    contracts.Database: (RdsPostgres, CloudSqlPostgres, KubernetesPostgres),
    contracts.Broker: (AmazonMqBroker, PubSubBroker, KubernetesRabbitMq),
    contracts.Cache: (ElastiCacheValkey, MemorystoreValkey, KubernetesValkey),
    contracts.ObjectStore: (S3ObjectStore, GcsObjectStore),
    contracts.Secret: (AwsSecret, AwsGeneratedSecret, GcpSecret, GcpGeneratedSecret, KubernetesGeneratedSecret),
    contracts.Identity: (AwsServiceRole, GcpServiceAccount),
}
"""The implementations of each contract."""
CONCERNS = ("broker", "cache", "cluster", "database", "secrets", "storage")
"""Folders whose components are implementations, or stand beside one. `security` is none of them: it has identities, and
much that services never see."""
BESIDE = {
    "AwsRotationFunction": "renews what secrets hold",
    "GcpBinaryAuthorization": "says which images a project's clusters run",
    "GcsAccessLogs": "keeps who used stores",
    "RdsBackupCopy": "copies a database's backups",
    "S3AccessLogs": "keeps who used stores",
    "SsmBastion": "is the way into a cluster",
}
"""The components of those folders that are none, and what they are instead."""
CASES = [
    pytest.param(contract, kind, make, id=f"{kind.__name__}-{number}")
    for contract, kinds in IMPLEMENTATIONS.items()
    for kind in kinds
    for number, make in enumerate(EXAMPLES[kind])
]
CREDENTIALS = {
    contracts.Database: {"username", "password", "host", "port", "dbname"},
    contracts.Cache: {"host", "port"},
}
"""What the secret of each holds at least, whatever the cloud."""
ALONE = {RdsPostgres: 0, CloudSqlPostgres: 0, ElastiCacheValkey: 1, MemorystoreValkey: 1}
"""Which example of each has no replicas; of the first two, the other one has some."""
ALWAYS_ALONE = (KubernetesPostgres, KubernetesValkey)
"""Those that never have any."""
ARNS = {
    "aws:iam/role:Role": "arn:aws:iam::123456789012:role/",
    "aws:secretsmanager/secret:Secret": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:",
}
"""What ARNs begin with whose service is looked at."""


def answer(type_: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """What a cloud would return, with ARNs that say what they are of."""
    answers = known(type_, name, inputs)
    return answers | {"arn": ARNS[type_] + name} if type_ in ARNS else answers


def is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def is_port(value: Any) -> bool:
    # The engine's numbers have no integers among them.
    return isinstance(value, int | float) and not isinstance(value, bool) and value == int(value) and 1 <= value < 65536


def is_like(pattern: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and bool(re.fullmatch(pattern, value))


def is_kubeconfig(value: Any) -> bool:
    """Whether it leads to a cluster and holds nothing that signs anybody in."""
    try:
        content = yaml.safe_load(value)
    except (AttributeError, yaml.YAMLError):
        return False
    if not isinstance(content, dict) or content.get("kind") != "Config" or not content.get("clusters"):
        return False
    credentials = {"token", "tokenFile", "username", "password", "client-key", "client-key-data", "auth-provider"}
    return not credentials & set(keys_in(content))


def keys_in(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        yield from content
    for each in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        yield from keys_in(each)


is_secret = is_like(
    r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:.+|projects/[a-z0-9-]+/secrets/[\w-]+"
    r"|[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
)
SOUND: dict[type, dict[str, Callable[[Any], bool]]] = {
    contracts.Cluster: {"cluster_name": is_name, "endpoint": is_like(r"https://[^/\s]+"), "kubeconfig": is_kubeconfig},
    contracts.Database: {
        "host": is_name,
        "reader_host": is_name,
        "port": is_port,
        "database": is_name,
        "role": is_name,
        "credentials_secret": is_secret,
    },
    contracts.Broker: {
        "protocol": is_like("amqps|pubsub"),
        "address": is_name,
        "credentials_secret": lambda value: value == "" or is_secret(value),
    },
    contracts.Cache: {"host": is_name, "reader_host": is_name, "port": is_port, "credentials_secret": is_secret},
    contracts.ObjectStore: {"bucket": is_name},
    contracts.Secret: {"secret": is_secret},
    contracts.Identity: {
        "identity": is_like(r"arn:aws[a-z-]*:iam::\d{12}:role/.+|[a-z0-9-]+@[a-z0-9-]+\.iam\.gserviceaccount\.com")
    },
}
"""What each attribute of a contract may hold."""
USERS = '{"kind": "Config", "clusters": [{}], "users": [{"name": "x", "user": {"%s": "x"}}]}'
WRONG: list[tuple[type, str, Any]] = [
    (contracts.Cluster, "endpoint", "http://cluster.example"),
    *((contracts.Cluster, "kubeconfig", USERS % key) for key in ("token", "password", "client-key-data")),
    (contracts.Cluster, "kubeconfig", "kind: Config\nclusters: [{}]\nusers: [{user: {token: x}}]"),
    (contracts.Cluster, "kubeconfig", ""),
    (contracts.Database, "host", ""),
    (contracts.Database, "port", 0),
    (contracts.Database, "port", 65536),
    (contracts.Database, "port", "5432"),
    (contracts.Database, "credentials_secret", ""),
    (contracts.Broker, "protocol", "amqp"),
    (contracts.Broker, "credentials_secret", "user:password"),
    (contracts.Cache, "credentials_secret", ""),
    (contracts.ObjectStore, "bucket", ""),
    (contracts.Secret, "secret", "arn:aws:iam::123456789012:role/web"),
    (contracts.Identity, "identity", "arn:aws:iam::123456789012:user/web"),
    (contracts.Identity, "identity", "web@example.com"),
]
"""Answers that no contract allows."""


def test_every_contract_has_an_implementation_on_each_cloud() -> None:
    declared = {
        each for each in vars(contracts).values() if inspect.isclass(each) and each.__module__ == contracts.__name__
    }
    assert set(IMPLEMENTATIONS) == declared
    for contract, kinds in IMPLEMENTATIONS.items():
        clouds = {package for kind in kinds for package in packages(kind)}
        assert {"aws", "gcp"} <= clouds, contract


def packages(kind: type[Component]) -> set[str]:
    plan = recorded(
        lambda: EXAMPLES[kind][0]("thing", pulumi.ResourceOptions(providers=providers())), answer=known
    ).plan
    return {each.type.partition(":")[0] for each in plan.resources if each.custom}


def test_every_component_of_a_concern_is_listed() -> None:
    listed = {kind for kinds in IMPLEMENTATIONS.values() for kind in kinds}
    folders = {kind: kind.__module__.split(".")[1] for kind in components()}
    unlisted = {kind.__name__ for kind, folder in folders.items() if folder in CONCERNS and kind not in listed}
    assert unlisted == set(BESIDE)


@pytest.mark.parametrize(("contract", "kind", "make"), CASES)
def test_an_implementation_offers_what_its_contract_says(contract: type, kind: type[Component], make: Maker) -> None:
    offered = inspect.get_annotations(kind)
    for name, note in inspect.get_annotations(contract).items():
        assert offered.get(name) == note, f"{kind.__name__}.{name}"


def values(kind: type[Component], make: Maker) -> dict[str, Any]:
    """The outputs of a component, in a cloud that answers."""
    plan = recorded(lambda: make("thing", pulumi.ResourceOptions(providers=providers())), answer=answer).plan
    return next(
        each.outputs for each in plan.resources if each.type == f"plinth:index:{kind.__name__}" and each.name == "thing"
    )


@pytest.mark.parametrize(("contract", "kind", "make"), CASES)
def test_what_it_offers_is_what_the_contract_says(contract: type, kind: type[Component], make: Maker) -> None:
    found = values(kind, make)
    assert [name for name, is_sound in SOUND[contract].items() if not is_sound(found[camel_case(name)])] == []
    if contract is contracts.Broker:
        assert (found["protocol"] == "pubsub") == (found["credentialsSecret"] == ""), "only identities need no secret"


def test_every_attribute_of_a_contract_is_looked_at() -> None:
    assert {each: set(checks) for each, checks in SOUND.items()} == {
        each: set(inspect.get_annotations(each)) for each in IMPLEMENTATIONS
    }


@pytest.mark.parametrize(("contract", "name", "value"), WRONG)
def test_a_wrong_answer_is_none_of_a_contract(contract: type, name: str, value: object) -> None:
    assert not SOUND[contract][name](value)


@pytest.mark.parametrize("kind", ALONE)
def test_reads_go_to_the_replicas_or_where_writes_go(kind: type[Component]) -> None:
    alone, beside = (values(kind, EXAMPLES[kind][number]) for number in (ALONE[kind], 1 - ALONE[kind]))
    assert alone["readerHost"] == alone["host"]
    assert beside["readerHost"] != beside["host"]


@pytest.mark.parametrize("kind", ALWAYS_ALONE)
def test_without_replicas_reads_go_where_writes_go(kind: type[Component]) -> None:
    for make in EXAMPLES[kind]:
        found = values(kind, make)
        assert found["readerHost"] == found["host"]


def test_what_has_replicas_is_tried_without() -> None:
    every = {*IMPLEMENTATIONS[contracts.Database], *IMPLEMENTATIONS[contracts.Cache]}
    assert {*ALONE, *ALWAYS_ALONE} == every


def secrets_of(make: Maker) -> list[dict[str, Any]]:
    """What the secrets of a component hold."""
    recorder = recorded(lambda: make("thing", pulumi.ResourceOptions(providers=providers())), answer=known).recorder
    keys = {
        "aws:secretsmanager/secretVersion:SecretVersion": "secretString",
        "gcp:secretmanager/secretVersion:SecretVersion": "secretData",
    }
    found = []
    for request in recorder.requests.values():
        if request.type in keys:
            sealed: Any = request.object[keys[request.type]]
            found.append(json.loads(sealed["value"] if hasattr(sealed, "fields") else sealed))
        if request.type == "kubernetes:core/v1:Secret":
            found.append(dict(request.object.fields["stringData"].struct_value.fields["value"].struct_value.fields))
    return found


@pytest.mark.parametrize(
    ("contract", "kind"), [(contract, kind) for contract in CREDENTIALS for kind in IMPLEMENTATIONS[contract]]
)
def test_a_service_finds_the_same_fields_in_its_secret(contract: type, kind: type[Component]) -> None:
    held = secrets_of(EXAMPLES[kind][0])
    assert any(CREDENTIALS[contract] <= set(fields) for fields in held), [sorted(fields) for fields in held]
