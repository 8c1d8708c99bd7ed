"""The rules that every stack must keep. They know resources by type and property, and no component."""
