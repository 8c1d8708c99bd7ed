"""How long CloudWatch keeps logs."""

LOG_RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


def log_retention(days: int) -> str | None:
    """A rule for args: one of the numbers of days that CloudWatch offers."""
    if days in LOG_RETENTION_DAYS:
        return None
    return f"CloudWatch keeps logs for one of {', '.join(map(str, LOG_RETENTION_DAYS))} days"
