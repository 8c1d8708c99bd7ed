"""Secrets: in the sound stack, and the ways to break them."""

from ..breaking import Break, changed, without
from ..sketch import Sketch


def plant(sketch: Sketch) -> None:
    """Put them into the sound stack: one that no function rotates, beside the one that has a rotation."""
    recovery = 7 if sketch.tier != "dev" else 0
    noted = {"recoveryWindowInDays": recovery, "tags": {"rotation": "by hand"}}
    sketch.add("aws:secretsmanager/secret:Secret", "noted-secret", noted, {"kmsKeyId": "key"})


BREAKS: dict[str, list[Break]] = {
    "secret-rotates": [
        without("rotation"),
        changed("rotation", secretId=None),
        changed("noted-secret", tags=None),
        changed("noted-secret", tags={"rotation": ""}),
        changed("noted-secret", tags={"owner": "web"}),
    ],
}
"""The ways to break the sound stack, by the rule that must notice."""
