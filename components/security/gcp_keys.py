"""Encryption keys on Google Cloud."""

import re
from enum import Enum
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from ..component import Component, between, checked, checked_name, known_after, matching
from .google import GcpScope, scope_problem, service_account

_DAY = 86400
_USES_KEY = "roles/cloudkms.cryptoKeyEncrypterDecrypter"


class KeyProtection(Enum):
    """Where a key's material is."""

    SOFTWARE = "SOFTWARE"
    """In software (FIPS 140-2 level 1)."""
    HSM = "HSM"
    """In a hardware security module (FIPS 140-2 level 3). It costs more for each version and each operation."""


class GcpEncryptionKeyArgs(TypedDict):
    """What an encryption key is for and who uses it."""

    scope: GcpScope
    """Project of the key, and its region."""
    purpose: str
    """What it encrypts, in a few words: the key's label `purpose`, as far as a label can say it."""
    location: NotRequired[str]
    """Where it stands. What it encrypts must stand in the same place: `europe` for a bucket over two regions of the EU.
    Default: the region."""
    users: NotRequired[dict[str, pulumi.Input[str]]]
    """Addresses of the service accounts that encrypt and decrypt with it, by purpose: those by which Google's services
    act in the project. They must exist. Default: none."""
    rotation_days: NotRequired[int]
    """Days between rotations of its material, 1 to 90. What was encrypted with a former version stays readable.
    Default: 90 (CKV_GCP_43)."""
    destroy_days: NotRequired[int]
    """Days during which the destruction of a version can be called off, 1 to 120. The key's creation decides it.
    Default: 30."""
    protection: NotRequired[KeyProtection]
    """Where its material is. The key's creation decides it. Default: software."""
    protect: NotRequired[bool]
    """Whether Pulumi and Google's provider refuse to delete it. Default: yes, since everything that it encrypts is lost
    with its versions."""


_RULES = {
    "scope": scope_problem,
    "purpose": lambda purpose: None if purpose.strip() else "say what it encrypts",
    "location": matching(
        r"[a-z]+(-[a-z]+)?\d{0,2}", "give a region like europe-west3, or several as one, like europe or eur4"
    ),
    "rotation_days": between(1, 90, "days"),
    "destroy_days": between(1, 120, "days"),
}


class GcpEncryptionKey(Component):
    """A key of Cloud KMS with rotation (CKV_GCP_43) in a ring of its own, which the given accounts use and no other one
    by this key's own policy.

    A ring and the name of a key are for ever: KMS deletes neither. Their names therefore end in random characters, and
    a deleted key is one whose versions are destroyed.

    Raises `InputError` for bad args and for a name that no ring can have.
    """

    key_name: pulumi.Output[str]
    """Id of the key, `projects/<project>/locations/<location>/keyRings/<ring>/cryptoKeys/<key>`. Known once its users
    may use it."""
    key_ring: pulumi.Output[str]
    """Id of its ring."""

    def __init__(self, name: str, args: GcpEncryptionKeyArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GcpEncryptionKey {name}"
        args = checked(GcpEncryptionKeyArgs, args, subject, _RULES)
        # KMS takes 63 characters: the name, a hyphen and seven random ones.
        checked_name(name, subject, 55, r"[a-zA-Z0-9_-]+", "KMS takes letters, digits, _ and -")
        super().__init__(name, opts)
        scope, protect = args["scope"], args.get("protect", True)
        ring = gcp.kms.KeyRing(
            name,
            project=scope["project"],
            location=args.get("location", scope["region"]),
            opts=self._child(),
        )
        key = gcp.kms.CryptoKey(
            name,
            key_ring=ring.id,
            purpose="ENCRYPT_DECRYPT",
            rotation_period=f"{args.get('rotation_days', 90) * _DAY}s",
            destroy_scheduled_duration=f"{args.get('destroy_days', 30) * _DAY}s",
            version_template={
                "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION",
                "protection_level": args.get("protection", KeyProtection.SOFTWARE).value,
            },
            labels={"purpose": _label(args["purpose"])},
            # Deleting it destroys its versions, after the days in which that can be called off.
            deletion_policy="PREVENT" if protect else "DELETE",
            opts=self._child(protect=protect),
        )
        grants = [
            gcp.kms.CryptoKeyIAMMember(
                f"{name}-{purpose}",
                crypto_key_id=key.id,
                role=_USES_KEY,
                member=service_account(email),
                opts=self._child(),
            )
            for purpose, email in args.get("users", {}).items()
        ]
        # A service tries at once whether it may use the key that it is given.
        self.key_name = known_after(key.id, *grants)
        self.key_ring = ring.id
        self._register()


def _label(text: str) -> str:
    """Text as a label's value can say it."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-")[:63]
