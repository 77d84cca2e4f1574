"""When a queue opens again, as the end of an English sentence: `tomorrow at 9 AM`.

Connect's operations take two requests a second with a burst of five, for all of an account (Connect quotas), and
callers who find a queue closed come together: what was asked is kept for some minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from botocore.exceptions import BotoCoreError, ClientError

from contract.actions import NONE
from lambdas.log import LOG, contact_of

if TYPE_CHECKING:
    from mypy_boto3_connect import ConnectClient

KEPT_S = 300  # of an answer of Connect: hours and their overrides change seldom
KEPT_QUEUES = 200
AHEAD_DAYS = 6  # a day's name means one day only up to then


@dataclass(frozen=True, slots=True)
class Week:
    """The times at which a queue opens from a day on, overrides applied, in its own time zone, and that zone."""

    zone: str
    opens: tuple[datetime, ...]


@dataclass(slots=True)
class Hours:
    """Opening times by queue; an execution environment serves one request at a time."""

    client: ConnectClient
    _kept: dict[str, tuple[datetime, Week]] = field(default_factory=dict)

    def week(self, instance: str, queue: str, now: datetime) -> Week:
        """Raises ClientError, BotoCoreError, ZoneInfoNotFoundError, KeyError, ValueError."""
        kept = self._kept.get(queue)
        if kept is not None and kept[0] > now:
            return kept[1]
        week = self._asked(instance, queue, now)
        if len(self._kept) >= KEPT_QUEUES:
            self._kept.clear()
        self._kept[queue] = now + timedelta(seconds=KEPT_S), week
        return week

    def _asked(self, instance: str, queue: str, now: datetime) -> Week:
        queue_id = queue.rpartition("/")[2]
        hours = self.client.describe_queue(InstanceId=instance, QueueId=queue_id)["Queue"]["HoursOfOperationId"]
        first = now.date() - timedelta(days=1)  # where it is yesterday still
        answer = self.client.get_effective_hours_of_operations(
            InstanceId=instance,
            HoursOfOperationId=hours,
            FromDate=first.isoformat(),
            ToDate=(first + timedelta(days=AHEAD_DAYS + 2)).isoformat(),
        )
        zone = answer["TimeZone"]
        return Week(zone, tuple(sorted(_opens(answer["EffectiveHoursOfOperationList"], ZoneInfo(zone)))))


def _opens(days: Any, zone: ZoneInfo) -> Iterator[datetime]:
    for day in days:
        for period in day.get("OperationalHours", ()):
            start = period["Start"]
            day_of = date.fromisoformat(day["Date"])
            yield datetime(day_of.year, day_of.month, day_of.day, start["Hours"], start["Minutes"], tzinfo=zone)


def queue_hours(hours: Hours, event: Mapping[str, Any], now: datetime, language: str) -> dict[str, str]:
    """`opens`, or `none` where it is not known, which is never a reason to fail. `now` has a time zone."""
    details = event.get("Details", {})
    queue = str(details.get("Parameters", {}).get("queue") or "")
    if not language.startswith("en") or ":" not in queue:
        return {"opens": NONE}
    try:
        week = hours.week(str(details.get("ContactData", {}).get("InstanceARN")), queue, now)
    except (ClientError, BotoCoreError, ZoneInfoNotFoundError, KeyError, ValueError) as error:
        LOG.warning("hours_unknown", contact=contact_of(event), why=type(error).__name__)
        return {"opens": NONE}
    return {"opens": _said(week, now) or NONE}


def _said(week: Week, now: datetime) -> str:
    here = now.astimezone(ZoneInfo(week.zone))
    following = next((opens for opens in week.opens if opens > here), None)
    if following is None:
        return ""
    days = (following.date() - here.date()).days
    if days > AHEAD_DAYS:
        return ""
    day = ("today", "tomorrow")[days] if days < 2 else f"on {following:%A}"
    return f"{day} at {_time(following)}"


def _time(at: datetime) -> str:
    minutes = f":{at.minute:02d}" if at.minute else ""
    return f"{at.hour % 12 or 12}{minutes} {'AM' if at.hour < 12 else 'PM'}"
