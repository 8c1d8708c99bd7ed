"""Plinth's component library: one folder a concern, one module a product.

Import a component from its module, for example `from components.network.aws import AwsNetwork` in this project,
or `from plinth.network.aws import AwsNetwork` where the library is installed as a distribution.
"""
