"""Executions described and listed, and their histories."""

from __future__ import annotations

from collections.abc import Iterator

from doorstep.engine.identity import Identity
from doorstep.engine.messages import Event, details_member
from doorstep.history.aws_json import aws_events
from doorstep.model.aws_errors import invalid_request, no_machine, no_resource, wrong_type
from doorstep.values.json_values import loads

from ..arns import Caller, parse
from ..dispatch import Operations
from ..responses import details, redrive_status, summary
from ..server import Server
from ..store.peers import Members
from ..store.store import ListQuery, Row
from . import paging
from .executions import (
    describable,
    events_of,
    existing,
    input_and_end,
    last_event,
    redrive_refusal,
)
from .machines import configuration


def describe_execution(server: Server, caller: Caller, request: Members) -> Members:
    """DescribeExecution."""
    row = describable(server, request)
    metadata = summary(row)
    if row.trace is not None:
        metadata["traceHeader"] = row.trace
    if request.get("includedData") == "METADATA_ONLY":
        refusal = redrive_refusal(server, row, last_event(server, row))
        return metadata | redrive_status(row, refusal)
    text, last = input_and_end(server, row)
    members = metadata | redrive_status(row, redrive_refusal(server, row, last.id))
    members |= {"input": text, "inputDetails": {"included": True}}
    # The error of a time-out is in the history alone (fact 94).
    if row.status not in ("RUNNING", "TIMED_OUT"):
        end = last.details or {}
        members |= {name: end[name] for name in ("output", "error", "cause") if name in end}
        if "output" in end:
            members["outputDetails"] = {"included": True}
    return members


def describe_machine_for_execution(server: Server, caller: Caller, request: Members) -> Members:
    """DescribeStateMachineForExecution: as the machine was when the execution began (fact 461)."""
    row = existing(server, request)
    revision = server.catalogue.revision(row.revision)
    identity = Identity(**loads(row.identity))
    members = {
        "stateMachineArn": row.machine,
        "name": identity.machine_path,
        "updateDate": revision.at,
        **configuration(revision, request),
    }
    if row.map_run is not None:
        members |= {"mapRunArn": row.map_run, "label": identity.label}
    return members


def list_executions(server: Server, caller: Caller, request: Members) -> Members:
    """ListExecutions: of a machine, version, alias or map run; the newest first (fact 459)."""
    if ("stateMachineArn" in request) == ("mapRunArn" in request):
        message = "Exactly one of stateMachineArn and mapRunArn must be specified"
        raise invalid_request(message, "MISSING_REQUIRED_PARAMETER")
    run = _map_run(server, request)
    where = {"map_run": run["arn"]} if run else _machine_query(server, request)
    size = paging.size(request)
    query = ListQuery(
        **where,
        status=request.get("statusFilter"),
        redriven=_redriven(request),
        before=paging.position("ListExecutions", request, int),
        limit=size + 1,
    )
    rows = server.recorder.rows.listed(query, server.store) if run else server.store.rows(query)
    answer: Members = {"executions": [_listed(server, row, run) for row in rows[:size]]}
    if len(rows) > size:
        answer["nextToken"] = paging.token("ListExecutions", request, rows[size - 1].id)
    return answer


def get_execution_history(server: Server, caller: Caller, request: Members) -> Members:
    """GetExecutionHistory: a page, in either order (facts 109, 454)."""
    row = existing(server, request)
    last, size = last_event(server, row), paging.size(request)
    reverse = request.get("reverseOrder", False)
    position = paging.position("GetExecutionHistory", request, int)
    start = position or (last if reverse else 1)
    lowest, highest = (start - size + 1, start) if reverse else (start, start + size - 1)
    events = events_of(server, row, max(lowest, 1), min(highest, last))
    whole = request.get("includeExecutionData", True)
    ordered = events[::-1] if reverse else events
    answer: Members = {"events": list(_on_the_wire(ordered, row, whole))}
    following = lowest - 1 if reverse else highest + 1
    if 1 <= following <= last:
        answer["nextToken"] = paging.token("GetExecutionHistory", request, following)
    return answer


def _on_the_wire(events: list[Event], row: Row, whole: bool) -> Iterator[Members]:
    """Yield events with their times in epoch seconds."""
    for event, members in zip(events, aws_events(events, float), strict=True):
        name = details_member(event.type)
        if name is not None:
            members[name] = details(event, row, whole)
        yield members


def _listed(server: Server, row: Row, run: Members | None) -> Members:
    return summary(row) if run is None else summary(row) | {"itemCount": _items(server, row, run)}


def _items(server: Server, row: Row, run: Members) -> int:
    if not run["batched"]:
        return 1
    return len(loads(input_and_end(server, row)[0])["Items"])


def _map_run(server: Server, request: Members) -> Members | None:
    """Return the document of the map run whose children are to be listed."""
    if "mapRunArn" not in request:
        if request.get("statusFilter") == "PENDING_REDRIVE":
            raise invalid_request("PENDING_REDRIVE is a status of the children of a map run")
        return None
    arn = parse(request["mapRunArn"], "mapRun").text
    run = server.store.get("map run", arn)
    if run is None:
        raise no_resource(arn)
    return run


def _machine_query(server: Server, request: Members) -> dict[str, str]:
    # Fact 456: executions of an Express machine are not listed.
    arn = parse(request["stateMachineArn"], "stateMachine")
    machine = server.catalogue.machines.get(arn.unqualified)
    if machine is None:
        raise no_machine(arn.text)
    if machine.type == "EXPRESS":
        raise wrong_type()
    if not arn.qualifier:
        return {"machine": machine.arn}
    if arn.text not in machine.versions and arn.text not in machine.aliases:
        raise no_machine(arn.text)
    kind = "version" if arn.text in machine.versions else "alias"
    return {"machine": machine.arn, kind: arn.text}


def _redriven(request: Members) -> bool | None:
    wanted = request.get("redriveFilter")
    return None if wanted is None else wanted == "REDRIVEN"


OPERATIONS: Operations = {
    "DescribeExecution": describe_execution,
    "DescribeStateMachineForExecution": describe_machine_for_execution,
    "ListExecutions": list_executions,
    "GetExecutionHistory": get_execution_history,
}
