"""What everything of a stack is tagged with."""

from collections.abc import Mapping

from ..model import Tier


def cost_tags(
    system: str, environment: str, tier: Tier, decommission: bool, further: Mapping[str, str]
) -> dict[str, str]:
    """What everything of a stack is tagged with, so that costs are told apart and policies know what they look at."""
    return {
        "system": system,
        "environment": environment,
        "tier": tier.value,
        "managed-by": "plinth",
        # Policies read it: what they protect otherwise may go.
        **({"decommission": "true"} if decommission else {}),
        **further,
    }
