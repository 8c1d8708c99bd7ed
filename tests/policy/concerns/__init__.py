"""What the sound stack has of each concern, and how that is broken."""

from . import backup, baseline, broker, cache, cluster, google, kubernetes, observability, registry, secrets

CONCERNS = (kubernetes, cluster, broker, cache, secrets, observability, backup, registry, baseline, *google.CONCERNS)
