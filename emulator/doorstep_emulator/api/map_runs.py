"""Map runs: the runs of distributed Maps."""

from __future__ import annotations

from typing import Any

from doorstep.model.aws_errors import invalid_request, no_execution, no_resource

from ..arns import Caller, parse
from ..map_run_counts import counted
from ..server import Operations, Server
from . import paging

Request = dict[str, Any]
_LIMITS = {
    "maxConcurrency": "concurrency",
    "toleratedFailureCount": "tolerated_count",
    "toleratedFailurePercentage": "tolerated_percentage",
}


def describe_map_run(server: Server, caller: Caller, request: Request) -> Request:
    """DescribeMapRun."""
    document = _document(server, request)
    run = server.keeper.map_runs.get(document["arn"])
    limits = document["limits"]
    told = {
        "mapRunArn": document["arn"],
        "executionArn": document["execution"],
        "status": document["status"],
        "startDate": document["started"],
        **{member: limits[own] or 0 for member, own in _LIMITS.items()},
        **(counted(run) if run else document["counts"]),
        "redriveCount": document["redrives"],
    }
    dates = {"stopDate": document["stopped"], "redriveDate": document.get("redriven")}
    return told | {name: at for name, at in dates.items() if at is not None}


def list_map_runs(server: Server, caller: Caller, request: Request) -> Request:
    """ListMapRuns: of one execution, the newest first."""
    arn = parse(request["executionArn"], "execution").text
    if server.row(arn) is None:
        raise no_execution(arn)
    found = [one for one in server.store.documents("map run") if one["execution"] == arn]
    found.sort(key=lambda one: float(one["started"]), reverse=True)
    return paging.answer("ListMapRuns", request, "mapRuns", found, lambda one: one["arn"], _shown)


def update_map_run(server: Server, caller: Caller, request: Request) -> Request:
    """UpdateMapRun: while it runs."""
    document = _document(server, request)
    changes = {own: request[name] for name, own in _LIMITS.items() if name in request}
    if not changes:
        raise invalid_request("No value to update was given.", "MISSING_REQUIRED_PARAMETER")
    run = server.keeper.map_runs.get(document["arn"])
    if run is None:
        told = "Map Run that has completed can't be updated."
        raise invalid_request(told, "CANNOT_UPDATE_COMPLETED_MAP_RUN")
    if "concurrency" in changes:
        most = run.parent.engine.quotas.distributed_concurrency
        changes["concurrency"] = changes["concurrency"] or most
    run.change(**changes)
    return {}


def _document(server: Server, request: Request) -> dict[str, Any]:
    arn = parse(request["mapRunArn"], "mapRun").text
    document = server.store.get("map run", arn)
    if document is None:
        raise no_resource(arn)
    return document


def _shown(document: dict[str, Any]) -> Request:
    machine = f"{document['machine']}/{document['label']}"
    told = {
        "executionArn": document["execution"],
        "mapRunArn": document["arn"],
        "stateMachineArn": machine,
        "startDate": document["started"],
    }
    stopped = document["stopped"]
    return told if stopped is None else {**told, "stopDate": stopped}


OPERATIONS: Operations = {
    "DescribeMapRun": describe_map_run,
    "ListMapRuns": list_map_runs,
    "UpdateMapRun": update_map_run,
}
