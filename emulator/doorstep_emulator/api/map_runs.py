"""Map runs: the runs of distributed Maps."""

from __future__ import annotations

from typing import Any

from doorstep.asl.map import UNLIMITED
from doorstep.model.aws_errors import invalid_request, no_execution, no_resource

from ..arns import Caller, parse
from ..dispatch import Operations
from ..responses import map_run_counts
from ..server import Server
from ..store.peers import Members
from . import paging

_LIMITS = {
    "maxConcurrency": "concurrency",
    "toleratedFailureCount": "tolerated_count",
    "toleratedFailurePercentage": "tolerated_percentage",
}


def describe_map_run(server: Server, caller: Caller, request: Members) -> Members:
    """DescribeMapRun (facts 120 and 149)."""
    document = _document(server, request)
    run = server.recorder.map_runs.get(document["arn"])
    limits = document["limits"]
    members = {
        "mapRunArn": document["arn"],
        "executionArn": document["execution"],
        "status": document["status"],
        "startDate": document["started"],
        **{member: limits[own] or 0 for member, own in _LIMITS.items()},
        **(map_run_counts(run) if run else document["counts"]),
        "redriveCount": document["redrives"],
    }
    dates = {"stopDate": document["stopped"], "redriveDate": document.get("redriven")}
    return members | {name: at for name, at in dates.items() if at is not None}


def list_map_runs(server: Server, caller: Caller, request: Members) -> Members:
    """ListMapRuns: of one execution, the newest first.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListMapRuns.html
    """
    arn = parse(request["executionArn"], "execution").text
    if server.row(arn) is None:
        raise no_execution(arn)
    runs = [one for one in server.store.documents("map run") if one["execution"] == arn]
    runs.sort(key=lambda one: float(one["started"]), reverse=True)
    return paging.answer("ListMapRuns", request, "mapRuns", runs, lambda one: one["arn"], _listed)


def update_map_run(server: Server, caller: Caller, request: Members) -> Members:
    """UpdateMapRun: while it runs (fact 286)."""
    document = _document(server, request)
    changes = {own: request[name] for name, own in _LIMITS.items() if name in request}
    if not changes:
        raise invalid_request("No value to update was given.", "MISSING_REQUIRED_PARAMETER")
    run = server.recorder.map_runs.get(document["arn"])
    if run is None:
        message = "Map Run that has completed can't be updated."
        raise invalid_request(message, "CANNOT_UPDATE_COMPLETED_MAP_RUN")
    if "concurrency" in changes:
        changes["concurrency"] = changes["concurrency"] or UNLIMITED
    run.change(**changes)
    return {}


def timeline(server: Server, request: Members) -> str | None:
    """Return the timeline of the execution whose map run a request names, if there is one."""
    if "mapRunArn" not in request:
        return None
    document = server.store.get("map run", parse(request["mapRunArn"], "mapRun").text)
    row = server.row(document["execution"]) if document else None
    return row.timeline if row else None


def _document(server: Server, request: Members) -> dict[str, Any]:
    arn = parse(request["mapRunArn"], "mapRun").text
    document = server.store.get("map run", arn)
    if document is None:
        raise no_resource(arn)
    return document


def _listed(document: dict[str, Any]) -> Members:
    machine = f"{document['machine']}/{document['label']}"
    members = {
        "executionArn": document["execution"],
        "mapRunArn": document["arn"],
        "stateMachineArn": machine,
        "startDate": document["started"],
    }
    stopped = document["stopped"]
    return members if stopped is None else {**members, "stopDate": stopped}


OPERATIONS: Operations = {
    "DescribeMapRun": describe_map_run,
    "ListMapRuns": list_map_runs,
    "UpdateMapRun": update_map_run,
}
