"""Keys on Google Cloud: in the sound stack, and the ways to break it."""

from ...breaking import Break, changed
from ...sketch import GOOGLE, GOOGLE_AWAY, Sketch

DAY = 86400


def plant(sketch: Sketch) -> None:
    """Put it into the sound stack: a key in each region, and one that signs, which KMS cannot rotate."""
    durable = sketch.tier != "dev"
    kept = {
        "destroyScheduledDuration": f"{30 * DAY}s" if durable else f"{DAY}s",
        "deletionPolicy": "PREVENT" if durable else "DELETE",
    }
    for name, region in (("gcp-key", GOOGLE), ("gcp-away-key", GOOGLE_AWAY)):
        sketch.add("gcp:kms/keyRing:KeyRing", f"{name}-ring", {"location": region}, provider=region)
        rotated = {**kept, "rotationPeriod": f"{90 * DAY}s"}
        ring = {"keyRing": f"{name}-ring"}
        sketch.add("gcp:kms/cryptoKey:CryptoKey", name, rotated, ring, protect=durable, provider=region)
    sketch.add(
        "gcp:kms/cryptoKey:CryptoKey",
        "gcp-signing-key",
        {**kept, "purpose": "ASYMMETRIC_SIGN"},
        {"keyRing": "gcp-key-ring"},
        protect=durable,
        provider=GOOGLE,
    )
    sketch.add(
        "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
        "gcp-key-secrets",
        {
            "role": "roles/cloudkms.cryptoKeyEncrypterDecrypter",
            "member": "serviceAccount:service-123456789012@gcp-sa-secretmanager.iam.gserviceaccount.com",
        },
        {"cryptoKeyId": "gcp-key"},
        provider=GOOGLE,
    )


BREAKS: dict[str, list[Break]] = {
    "gcp-kms-rotation": [
        changed("gcp-key", rotationPeriod=None),
        changed("gcp-key", rotationPeriod=f"{91 * DAY}s"),
        changed("gcp-key", rotationPeriod="quarterly"),
        changed("gcp-signing-key", purpose=None),
    ],
    "gcp-kms-destruction": [
        changed("gcp-key", destroyScheduledDuration=None),
        changed("gcp-signing-key", destroyScheduledDuration=f"{DAY}s"),
    ],
    "gcp-kms-kept": [changed("gcp-key", deletionPolicy=None), changed("gcp-key", deletionPolicy="DELETE")],
}
"""The ways to break the sound stack, by the rule that must notice."""
