"""Systems, settings and environments: what a stack is made of."""
