"""When a queue opens again, in the caller's language: `tomorrow at 9 AM`, `mañana a las 9`.

Connect's operations take two requests a second with a burst of five, for all of an account (Connect quotas), and
callers who find a queue closed come together: what was asked is kept for some minutes.
"""

from __future__ import annotations

import json
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
UNKNOWN = {"known": "no", "opens": NONE, "sentence": NONE}
AHEAD_DAYS = 6  # a day's name means one day only up to then


@dataclass(frozen=True, slots=True)
class Times:
    """How a language says a time. `days` from Monday on; `{day}` and `{time}` stand in the sentences of a day, `{hour}`
    (0 to 23), `{hour12}`, `{minutes}` and `{half}` of the day in those of a time."""

    days: tuple[str, ...]
    today: str
    tomorrow: str
    on_a_day: str
    on_the_hour: str
    with_minutes: str
    halves: tuple[str, ...] = ("", "")

    @classmethod
    def of(cls, told: str) -> dict[str, Times]:
        """By language, out of the JSON that the deployment tells."""
        given = json.loads(told)
        return {
            name: cls(**{**each, "days": tuple(each["days"]), "halves": tuple(each.get("halves") or ("", ""))})
            for name, each in given.items()
        }


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


def queue_hours(hours: Hours, event: Mapping[str, Any], now: datetime, spoken: Mapping[str, Times]) -> dict[str, str]:
    """`known`: `yes` or `no`, which is never a reason to fail. With it `sentence`, the one that the flow has sent with
    the time in the place of `{opens}`, and `opens`, the time alone, for flows of the previous release.

    `now` has a time zone; `spoken` is by language, and a flow that names none of them gets the first.
    """
    details = event.get("Details", {})
    asked = details.get("Parameters", {})
    queue, sentence = str(asked.get("queue") or ""), str(asked.get("sentence") or "")
    times = spoken.get(str(asked.get("language"))) or next(iter(spoken.values()), None)
    opens = _opening(hours, event, queue, now, times) if times and ":" in queue else ""
    if not opens:
        return UNKNOWN
    return {"known": "yes", "opens": opens, "sentence": sentence.replace("{opens}", opens) or NONE}


def _opening(hours: Hours, event: Mapping[str, Any], queue: str, now: datetime, times: Times) -> str:
    details = event.get("Details", {})
    try:
        week = hours.week(str(details.get("ContactData", {}).get("InstanceARN")), queue, now)
    except (ClientError, BotoCoreError, ZoneInfoNotFoundError, KeyError, ValueError) as error:
        LOG.warning("hours_unknown", contact=contact_of(event), why=type(error).__name__)
        return ""
    return _said(week, now, times)


def _said(week: Week, now: datetime, times: Times) -> str:
    here = now.astimezone(ZoneInfo(week.zone))
    following = next((opens for opens in week.opens if opens > here), None)
    if following is None:
        return ""
    days = (following.date() - here.date()).days
    if days > AHEAD_DAYS:
        return ""
    when = (times.today, times.tomorrow)[days] if days < 2 else times.on_a_day
    return when.replace("{day}", times.days[following.weekday()]).replace("{time}", _time(following, times))


def _time(at: datetime, times: Times) -> str:
    pattern = times.with_minutes if at.minute else times.on_the_hour
    values = {
        "{hour}": str(at.hour),
        "{hour12}": str(at.hour % 12 or 12),
        "{minutes}": f"{at.minute:02d}",
        "{half}": times.halves[at.hour >= 12],
    }
    for name, value in values.items():
        pattern = pattern.replace(name, value)
    return pattern
