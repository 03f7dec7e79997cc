"""Rules and schedules of EventBridge that fire as time passes, which moto's never do.

moto knows them: those that a template has and those that code makes. Whoever owns a clock asks
what is due, and fires it.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..errors import InputError
from ..values.json_values import dumps
from ..values.timestamps import in_utc
from .local_account import LocalAccount, rule_input
from .schedules import Following, moment, schedule
from .target import Target

log = logging.getLogger("doorstep")
MOST = 10_000
"""How often schedules may fire in one stretch of time."""
_UNIVERSAL = "aws-sdk:"
"""How an ARN goes on that names an API: `arn:aws:scheduler:::aws-sdk:sqs:sendMessage`."""


@dataclass(frozen=True, slots=True)
class Due:
    """A rule or schedule at one of its times."""

    at: float
    """Epoch seconds."""
    name: str
    fire: Callable[[float], None]


@dataclass(slots=True)
class _Known:
    """A schedule that was seen before."""

    written: tuple[Any, ...]
    """Its expression and the like: with another one it is another schedule."""
    following: Following | None
    """None for an expression that can't be read."""
    since: float


class Scheduler:
    """Finds what is due among the rules and schedules of moto, and delivers it to its targets."""

    def __init__(self, target: Target, account: LocalAccount) -> None:
        """`account`: the machines and functions that are started."""
        self._target = target
        self._account = account
        self._known: dict[str, _Known] = {}

    def due(self, after: float, until: float) -> list[Due]:
        """Return what is due after one moment and until another, in order (epoch seconds).

        What is seen for the first time counts from `after` on. Raises InputError when it is more
        than `MOST`.
        """
        found: list[Due] = []
        for one in (*self._rules(), *self._schedules()):
            at = self._next(one, after)
            while at is not None and at <= until and (one.end is None or at <= one.end):
                if one.start is None or at >= one.start:
                    found.append(Due(at, one.name, one.fire))
                if len(found) > MOST:
                    raise InputError(
                        f"schedules would fire more than {MOST:,} times; skip less at a time"
                    )
                at = self._next(one, at)
        return sorted(found, key=lambda due: due.at)

    def _next(self, one: _Schedule, after: float) -> float | None:
        written = (one.expression, one.zone)
        known = self._known.get(one.arn)
        if known is None or known.written != written:
            try:
                following = schedule(one.expression, one.zone, after)
            except InputError as problem:
                log.warning("the schedule %s never fires: %s", one.name, problem)
                following = None
            known = self._known[one.arn] = _Known(written, following, after)
        return known.following(max(after, known.since)) if known.following else None

    # What moto has -------------------------------------------------------------------------------

    def _rules(self) -> Iterator[_Schedule]:
        from moto.events.models import events_backends

        for region, backend in _backends(events_backends):
            for rule in list(backend.event_buses["default"].rules.values()):
                if rule.scheduled_expression and rule.state != "DISABLED":
                    yield _Schedule(
                        rule.arn,
                        rule.name,
                        rule.scheduled_expression,
                        fire=partial(self._fire_rule, rule, region),
                    )

    def _schedules(self) -> Iterator[_Schedule]:
        from moto.scheduler.models import scheduler_backends

        for region, backend in _backends(scheduler_backends):
            for group in list(backend.schedule_groups.values()):
                for one in list(group.schedules.values()):
                    if one.state != "DISABLED":
                        yield _Schedule(
                            one.arn,
                            one.name,
                            one.schedule_expression,
                            one.schedule_expression_timezone,
                            moment(one.start_date),
                            moment(one.end_date),
                            partial(self._fire_schedule, group, one, region),
                        )

    # What they do --------------------------------------------------------------------------------

    def _fire_rule(self, rule: Any, region: str, at: float) -> None:
        event = _event("aws.events", rule.arn, rule.account_id, region, at) | {"detail": {}}
        for target in rule.targets:
            self._give(target["Arn"], rule_input(target, event), target, rule.name)

    def _fire_schedule(self, group: Any, one: Any, region: str, at: float) -> None:
        target = one.target
        text = target.get("Input")
        if text is None:
            account = one.arn.split(":")[4]
            # The detail is a text here, otherwise than in a rule's event (seen by users).
            text = dumps(_event("aws.scheduler", one.arn, account, region, at) | {"detail": "{}"})
        # The Scheduler's user guide, "Adding context attributes".
        for name, value in (
            ("schedule-arn", one.arn),
            ("scheduled-time", _iso(at)),
            ("execution-id", str(uuid.uuid4())),
            ("attempt-number", "1"),
        ):
            text = text.replace(f"<aws.scheduler.{name}>", value)
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        self._give(target["Arn"], value, target, one.name)
        over = one.schedule_expression.startswith("at(")
        if over and one.action_after_completion == "DELETE":
            group.schedules.pop(one.name, None)

    def _give(self, arn: str, value: Any, target: Mapping[str, Any], name: str) -> None:
        """Deliver an input to a target; log what it refuses, as nobody waits for it."""
        try:
            self._deliver(arn, value, target)
        except Exception as problem:  # noqa: BLE001  the target's, or a gap in it
            log.warning("the schedule %s did not reach %s: %s", name, arn, problem)

    def _deliver(self, arn: str, value: Any, target: Mapping[str, Any]) -> None:
        service = arn.split(":")[2]
        text = value if isinstance(value, str) else dumps(value)
        if _UNIVERSAL in arn:
            self._call(arn.partition(_UNIVERSAL)[2], value)
        elif service in ("states", "lambda"):
            self._account.deliver(arn, value)
        elif service == "sqs":
            sqs = self._target.client("sqs")
            url = sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
            sqs.send_message(QueueUrl=url, MessageBody=text, **target.get("SqsParameters", {}))
        elif service == "sns":
            self._target.client("sns").publish(TopicArn=arn, Message=text)
        elif service == "events":
            self._put(arn, text, target.get("EventBridgeParameters", {}))
        else:
            raise NotImplementedError(f"targets of {service} are not reached here")

    def _put(self, arn: str, text: str, named: Mapping[str, Any]) -> None:
        entry = {
            "EventBusName": arn.rpartition("/")[2],
            "Source": named.get("Source", "aws.events"),
            "DetailType": named.get("DetailType", "Scheduled Event"),
            "Detail": text,
        }
        self._target.client("events").put_events(Entries=[entry])

    def _call(self, api: str, members: Any) -> None:
        """Call the API that a universal target names: `sfn:startExecution`, `sqs:sendMessage`."""
        from botocore import xform_name

        service, _, action = api.partition(":")
        if service in ("sfn", "stepfunctions"):
            own = {name[:1].lower() + name[1:]: value for name, value in members.items()}
            self._account.machines.send(action[:1].upper() + action[1:], own)
            return
        botocore = {"eventbridge": "events", "cloudwatchlogs": "logs"}.get(service, service)
        getattr(self._target.client(botocore), xform_name(action))(**members)


@dataclass(frozen=True, slots=True)
class _Schedule:
    arn: str
    name: str
    expression: str
    zone: str | None = None
    start: float | None = None
    end: float | None = None
    fire: Callable[[float], None] = lambda _at: None


def _backends(backends: Any) -> Iterator[tuple[str, Any]]:
    """Yield region and backend of all accounts that moto has made; make none."""
    for regions in list(dict(backends).values()):
        yield from list(dict(regions).items())


def _event(source: str, arn: str, account: str, region: str, at: float) -> dict[str, Any]:
    """Return the event that a target gets without an input of its own."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": source,
        "account": account,
        "time": _iso(at),
        "region": region,
        "resources": [arn],
    }


def _iso(at: float) -> str:
    return f"{in_utc(at):%Y-%m-%dT%H:%M:%SZ}"
