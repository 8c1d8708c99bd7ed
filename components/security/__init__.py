"""Keys, identities and what they may do."""
