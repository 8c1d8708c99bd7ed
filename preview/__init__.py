"""The credential-free preview: what a stack's program asks for, with no cloud account and no Pulumi CLI.

It knows resources by type and property, and no component.
"""
