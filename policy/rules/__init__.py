"""The rules, by what they are about."""

from . import database, general, identity, keys, kubernetes, logs, network, secrets, storage
from .rule import Rule

RULES: tuple[Rule, ...] = (
    *general.RULES,
    *network.RULES,
    *keys.RULES,
    *logs.RULES,
    *database.RULES,
    *storage.RULES,
    *secrets.RULES,
    *identity.RULES,
    *kubernetes.RULES,
)
"""Every rule there is."""
