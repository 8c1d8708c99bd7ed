"""Secrets, and how they are rotated."""
