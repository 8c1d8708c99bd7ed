"""One running service, and the jobs around it."""
