"""What each concern looks like to a service, held against every implementation on every cloud."""

import inspect
import json
from typing import Any

import pulumi
import pytest

from components import contracts
from components.broker.amazonmq import AmazonMqBroker
from components.broker.pubsub import PubSubBroker
from components.cache.elasticache import ElastiCacheValkey
from components.cache.memorystore import MemorystoreValkey
from components.cluster.eks import EksCluster
from components.cluster.gke import GkeCluster
from components.component import Component, camel_case
from components.database.cloudsql import CloudSqlPostgres
from components.database.rds import RdsPostgres
from components.host import components
from components.secrets.aws import AwsSecret
from components.secrets.gcp import GcpGeneratedSecret, GcpSecret
from components.secrets.generated import AwsGeneratedSecret
from components.security.gcp_identity import GcpServiceAccount
from components.security.iam import AwsServiceRole
from components.storage.gcs import GcsObjectStore
from components.storage.s3 import S3ObjectStore

from ..support import known, providers, recorded
from .examples import EXAMPLES, Maker

IMPLEMENTATIONS: dict[type, tuple[type[Component], ...]] = {
    contracts.Cluster: (EksCluster, GkeCluster),
    contracts.Database: (RdsPostgres, CloudSqlPostgres),
    contracts.Broker: (AmazonMqBroker, PubSubBroker),
    contracts.Cache: (ElastiCacheValkey, MemorystoreValkey),
    contracts.ObjectStore: (S3ObjectStore, GcsObjectStore),
    contracts.Secret: (AwsSecret, AwsGeneratedSecret, GcpSecret, GcpGeneratedSecret),
    contracts.Identity: (AwsServiceRole, GcpServiceAccount),
}
"""The implementations of each contract."""
CONCERNS = ("broker", "cache", "cluster", "database", "secrets", "storage")
"""Folders whose components are implementations, or stand beside one."""
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
    plan = recorded(lambda: make("thing", pulumi.ResourceOptions(providers=providers())), answer=known).plan
    return next(
        each.outputs for each in plan.resources if each.type == f"plinth:index:{kind.__name__}" and each.name == "thing"
    )


@pytest.mark.parametrize(("contract", "kind", "make"), CASES)
def test_what_it_offers_is_of_the_type_that_the_contract_says(
    contract: type, kind: type[Component], make: Maker
) -> None:
    found = values(kind, make)
    for name, note in inspect.get_annotations(contract).items():
        value = found[camel_case(name)]
        assert isinstance(value, (int, float) if "int" in str(note) else str), name
        if name in ("secret", "credentials_secret") and value:
            assert str(value).startswith(("arn:aws", "projects/")), value


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
    return found


@pytest.mark.parametrize(
    ("contract", "kind"), [(contract, kind) for contract in CREDENTIALS for kind in IMPLEMENTATIONS[contract]]
)
def test_a_service_finds_the_same_fields_in_its_secret(contract: type, kind: type[Component]) -> None:
    held = secrets_of(EXAMPLES[kind][0])
    assert any(CREDENTIALS[contract] <= set(fields) for fields in held), [sorted(fields) for fields in held]
