"""When something runs, as cron writes it."""

import difflib
import re
import zoneinfo
from functools import cache

_NAMED = r"@(yearly|monthly|weekly|daily|hourly)"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 6, _DAYS),
)
"""What stands in a schedule, from what number to what number, and how the numbers may be called. Sunday is 0 alone."""
_ZONE = r"[A-Za-z]+(/[A-Za-z0-9_+-]+)*"
_ZONE_REMEDY = "name a time zone, for example Europe/Berlin"


def schedule_problem(schedule: str) -> str | None:
    """What to write instead of a schedule that Kubernetes does not take."""
    if re.fullmatch(_NAMED, schedule):
        return None
    fields = schedule.split(" ")
    if len(fields) != len(_FIELDS):
        return "give minute, hour, day of the month, month and day of the week, for example `0 3 * * 0`"
    for field, (what, least, most, names) in zip(fields, _FIELDS, strict=True):
        if not all(_is_part(part, least, most, names) for part in field.split(",")):
            known = f", or {names[0]} to {names[-1]}" if names else ""
            return f"`{field}` is no {what}: give {least} to {most}{known}, with - , / and * between"
    return None


def _is_part(part: str, least: int, most: int, names: tuple[str, ...]) -> bool:
    """Whether that is one number of a field, several of them, or all, and of those maybe each so manieth."""
    those, slash, step = part.partition("/")
    if slash and not re.fullmatch(r"[1-9]\d{0,2}", step):
        return False
    if those in ("*", "?"):
        return True
    first, to, last = those.partition("-")
    numbers = [_number(end, least, names) for end in ([first, last] if to else [first])]
    known = [number for number in numbers if number is not None and least <= number <= most]
    return len(known) == len(numbers) and known == sorted(known)


def _number(text: str, least: int, names: tuple[str, ...]) -> int | None:
    if text.lower() in names:
        return names.index(text.lower()) + least
    return int(text) if re.fullmatch(r"\d{1,2}", text) else None


def time_zone_problem(zone: str) -> str | None:
    """What to write instead of a time zone that there is not. A machine may know none; then all pass that look so."""
    if not re.fullmatch(_ZONE, zone):
        return _ZONE_REMEDY
    known = _zones()
    if not known or zone in known:
        return None
    near = difflib.get_close_matches(zone, known, n=1)
    return f"there is none of that name; did you mean `{near[0]}`?" if near else f"there is none; {_ZONE_REMEDY}"


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
