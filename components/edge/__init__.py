"""What the internet meets first."""
