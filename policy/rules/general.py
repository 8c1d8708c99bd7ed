"""What every resource, and every provider, keeps."""

from .backup import VAULT
from .broker import BROKER
from .cache import GROUP as CACHE
from .database import INSTANCE
from .demands import DURABLE, absent, given, matching, true
from .keys import KEY
from .rule import Level, Resource, Rule, Stack, staying
from .storage import BUCKET

PROVIDER = "pulumi:providers:aws"
GOOGLE_PROVIDER = "pulumi:providers:gcp"
HOLDERS_ON_GOOGLE = (
    "gcp:backupdisasterrecovery/backupVault:BackupVault",
    "gcp:kms/cryptoKey:CryptoKey",
    "gcp:memorystore/instance:Instance",
    "gcp:pubsub/subscription:Subscription",
    "gcp:pubsub/topic:Topic",
    "gcp:sql/databaseInstance:DatabaseInstance",
    "gcp:storage/bucket:Bucket",
)
"""What holds data on Google Cloud, or the key to it."""
COST_TAGS = ("system", "environment", "tier", "managed-by", "owner")
"""The default tags by which costs are told apart."""


def _is_for_aws(provider: Resource, stack: Stack) -> bool:
    """An emulator takes any credentials; it has endpoints of its own."""
    return "endpoints" not in provider.inputs


RULES = (
    Rule(
        "explicit-provider",
        "A resource has a provider of its own program: a default one acts wherever the environment points.",
        ("aws:*", "gcp:*", "kubernetes:*", "random:*"),
        # The engine's default providers are named after their version.
        options={"provider": matching(r".+::(?!default(_\d.*)?$)[^:]+", "name a provider", "", "urn::default_7_51_1")},
    ),
    Rule(
        "stateful-protected",
        "Pulumi refuses to delete what holds data, or the key to it, in staging and prod.",
        (INSTANCE, BUCKET, KEY, VAULT, BROKER, CACHE, *HOLDERS_ON_GOOGLE),
        options={"protect": true()},
        when=staying,
        tiers=DURABLE,
    ),
    Rule(
        "provider-account",
        "A provider names the account that it may act in: credentials for another one fail.",
        (PROVIDER,),
        demands={
            "allowedAccountIds": given(),
            "allowedAccountIds[*]": matching(r"\d{12}", "be an account id", ""),
        },
    ),
    Rule(
        "provider-region",
        "A provider names its region: nothing lands elsewhere because of an environment variable.",
        (PROVIDER, GOOGLE_PROVIDER),
        demands={"region": given()},
    ),
    Rule(
        "provider-cost-tags",
        "A provider tags everything with its system, environment, tier, tool and owner.",
        (PROVIDER,),
        demands={f"defaultTags.tags.{tag}": given() for tag in COST_TAGS},
    ),
    Rule(
        "provider-stays",
        "A stack that is being taken down protects nothing: it goes soon, or the tag `decommission` does.",
        (PROVIDER,),
        demands={"defaultTags.tags.decommission": absent("true")},
        tiers=DURABLE,
        level=Level.ADVISORY,
    ),
    Rule(
        "provider-google-project",
        "A provider for Google Cloud names its project: nothing lands elsewhere because of an environment variable.",
        (GOOGLE_PROVIDER,),
        demands={"project": matching(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", "be the id of a project", "", "Other")},
    ),
    Rule(
        "provider-google-cost-labels",
        "A provider for Google Cloud labels everything with its system, environment, tier, tool and owner.",
        (GOOGLE_PROVIDER,),
        demands={f"defaultLabels.{tag}": given() for tag in COST_TAGS},
    ),
    Rule(
        "provider-google-stays",
        "A stack that is being taken down protects nothing: it goes soon, or the label `decommission` does.",
        (GOOGLE_PROVIDER,),
        demands={"defaultLabels.decommission": absent("true")},
        tiers=DURABLE,
        level=Level.ADVISORY,
    ),
    Rule(
        "provider-google-no-credentials",
        "A provider for Google Cloud takes its credentials from where it runs, not from the program.",
        (GOOGLE_PROVIDER,),
        demands={name: absent("something") for name in ("accessToken", "credentials")},
    ),
    Rule(
        "provider-no-credentials",
        "A provider takes its credentials from where it runs, not from the program.",
        (PROVIDER,),
        ("CKV_AWS_41",),
        demands={name: absent("something") for name in ("accessKey", "secretKey", "token")},
        when=_is_for_aws,
    ),
)
