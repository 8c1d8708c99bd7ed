"""Secrets on Google Cloud."""

from collections.abc import Iterator

from ..demands import DURABLE, absent, equal, given, judged, true
from ..paths import MISSING, read
from ..regions import REGIONS
from ..rule import Resource, Rule, Stack, staying
from .keys import lasting

SECRET = "gcp:secretmanager/secret:Secret"  # noqa: S105
_COPIES = "replication.userManaged.replicas[*]"


def _says_how(secret: Resource, stack: Stack) -> Iterator[str]:
    how = read(secret.inputs, "annotations.rotation")
    if how in (MISSING, None, "") and not read(secret.inputs, "rotation.rotationPeriod"):
        yield "no annotation `rotation` says how it is rotated, and nobody is told when it is time"


RULES: tuple[Rule, ...] = (
    Rule(
        "gcp-secret-encrypted",
        "A secret is encrypted with a key of ours, in every region that has it.",
        (SECRET,),
        demands={f"{_COPIES}.customerManagedEncryption.kmsKeyName": given()},
    ),
    Rule(
        "gcp-secret-placed",
        "A secret stands in the regions that it names, where data may stand, and not wherever Google likes.",
        (SECRET,),
        demands={
            "replication.auto": absent({"customerManagedEncryption": {"kmsKeyName": "x"}}),
            f"{_COPIES}.location": equal(*REGIONS, breaks=["us-central1"]),
        },
    ),
    Rule(
        "gcp-secret-recovery",
        "A former version of a secret can be had back for a week or longer in staging and prod.",
        (SECRET,),
        demands={"versionDestroyTtl": lasting(7, 1000)},
        tiers=DURABLE,
    ),
    Rule(
        "gcp-secret-kept",
        "A secret is not deleted by mistake in staging and prod: Secret Manager gives a deleted one to nobody.",
        (SECRET,),
        demands={"deletionProtection": true()},
        options={"protect": true()},
        when=staying,
        tiers=DURABLE,
    ),
    Rule(
        "gcp-secret-rotates",
        "A secret says in its annotation `rotation` how it is rotated, or tells a topic when it is time.",
        (SECRET,),
        demands={"annotations.rotation": judged("")},
        check=_says_how,
    ),
)
