"""Clusters, and the way to private ones."""
