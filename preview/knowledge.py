"""What is known of resource types: which keep something that a replacement loses, and what replaces them."""

import importlib
import re
from functools import cache
from types import ModuleType

DATA = "its data"
NETWORK = "the network"
KEEPERS = {
    DATA: (
        "aws:backup/vault:Vault",
        "aws:dynamodb/table:Table",
        "aws:ebs/volume:Volume",
        "aws:ecr/repository:Repository",
        "aws:efs/fileSystem:FileSystem",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        "aws:kms/key:Key",
        "aws:mq/broker:Broker",
        "aws:rds/cluster:Cluster",
        "aws:rds/instance:Instance",
        "aws:route53/zone:Zone",
        "aws:s3/bucket:Bucket",
        "aws:secretsmanager/secret:Secret",
        "aws:sqs/queue:Queue",
        "gcp:artifactregistry/repository:Repository",
        "gcp:backupdisasterrecovery/backupVault:BackupVault",
        "gcp:dns/managedZone:ManagedZone",
        "gcp:gkebackup/backupPlan:BackupPlan",
        "gcp:kms/cryptoKey:CryptoKey",
        "gcp:kms/keyRing:KeyRing",
        "gcp:logging/projectBucketConfig:ProjectBucketConfig",
        "gcp:memorystore/instance:Instance",
        "gcp:pubsub/subscription:Subscription",
        "gcp:pubsub/topic:Topic",
        "gcp:secretmanager/secret:Secret",
        "gcp:sql/database:Database",
        "gcp:sql/databaseInstance:DatabaseInstance",
        "gcp:storage/bucket:Bucket",
        "kubernetes:apps/v1:StatefulSet",
        "kubernetes:core/v1:Namespace",
        "kubernetes:core/v1:PersistentVolumeClaim",
        "random:index/randomPassword:RandomPassword",
    ),
    NETWORK: (
        "aws:ec2/subnet:Subnet",
        "aws:ec2/vpc:Vpc",
        "aws:eks/cluster:Cluster",
        "gcp:compute/network:Network",
        "gcp:compute/subnetwork:Subnetwork",
        "gcp:container/cluster:Cluster",
    ),
}
"""Types whose replacement loses something, by what it loses."""

_KEPT = {type_: what for what, types in KEEPERS.items() for type_ in types}
_IDENTITY = re.compile(
    r"""(?ix)
    name | \w*identifier | bucket | db_?name | username | master_?username | engine          # what it is
    | location | region | zone | availability_?zones? | \w*subnet\w* | vpc_?id | network     # where it is
    | ip_?cidr_?range | cidr_?block | project
    | \w*kms\w* | \w*encrypt\w* | length | special                                           # what only it can read
    """
)
_FORCES = re.compile(
    r"forces?\s+(a\s+)?(new|replace|re-?creat)|changing this[^.]{0,30}(forces|re-?create)|forces? recreation",
    re.IGNORECASE,
)


def loses(type_: str) -> str:
    """What a replacement of the type loses, or nothing."""
    return _KEPT.get(type_, "")


def is_identity(path: str) -> bool:
    """Whether the property is about what a resource is, where it is, or who can read it."""
    return bool(_IDENTITY.fullmatch(re.split(r"[.\[]", path)[0]))


def documented_to_replace(type_: str, path: str) -> bool:
    """Whether the installed SDK's documentation says that a change of the property replaces the resource."""
    key = re.split(r"[.\[]", path)[0]
    return key in _replacing(type_)


def takes(type_: str, key: str) -> bool:
    """Whether the installed SDK's class of the type's arguments has a property."""
    return hasattr(_arguments(type_), key)


@cache
def _replacing(type_: str) -> frozenset[str]:
    """The properties that the documentation of the type's arguments calls replacing, in camelCase."""
    arguments = _arguments(type_)
    text = (arguments.__init__.__doc__ or "") if arguments else ""
    found = re.findall(r":param (?:pulumi\.Input\[.*?\] )?(\w+): (.*?)(?=\n\s*:param|\Z)", text, re.DOTALL)
    return frozenset(_camel(name) for name, said in found if _FORCES.search(said))


def _arguments(type_: str) -> type | None:
    """The class of a type's arguments in the installed SDK: `aws:ec2/vpc:Vpc` is `pulumi_aws.ec2.VpcArgs`."""
    package, _, rest = type_.partition(":")
    module, _, name = rest.partition(":")
    steps = [step for step in module.split("/")[: 1 if package != "kubernetes" else None] if step != "index"]
    try:
        place: ModuleType = importlib.import_module(f"pulumi_{package}")
        for step in steps:
            place = getattr(place, step.split(".")[0])
        # Where a nested type has taken the name, the resource's own arguments are its "init" ones.
        return getattr(place, f"{name}InitArgs", None) or getattr(place, f"{name}Args", None)
    except (ImportError, AttributeError):
        return None


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
