"""Activities and their workers, and the task tokens of callbacks, jobs and activities."""

from __future__ import annotations

from typing import Any

from doorstep.engine.messages import FactKind
from doorstep.errors import ApiError
from doorstep.model.aws_errors import invalid_output, invalid_token, no_activity, task_timed_out
from doorstep.values.jackson import JSONProblem, loads

from ..activities import Poll
from ..arns import Caller, parse
from ..catalogue import Activity
from ..dispatch import Operations, Waiting
from ..server import Server
from ..store.peers import Members
from . import paging
from .resources import add_tags, check_encryption, check_name


def create_activity(server: Server, caller: Caller, request: Members) -> Members:
    """CreateActivity; the same name again returns the same activity (fact 467)."""
    name = check_name(request["name"])
    arn = caller.arn("activity", name)
    encryption = request.get("encryptionConfiguration", {"type": "AWS_OWNED_KEY"})
    check_encryption(encryption)
    activity = server.catalogue.activities.get(arn)
    if activity is None:
        activity = Activity(arn=arn, name=name, created=server.clock.now(), encryption=encryption)
        add_tags(activity, request.get("tags", []))
        server.catalogue.save(activity)
    elif activity.encryption != encryption:
        message = f"Activity Already Exists: '{arn}'. EncryptionConfiguration may not be updated"
        raise ApiError("ActivityAlreadyExists", message)
    return {"activityArn": arn, "creationDate": activity.created}


def describe_activity(server: Server, caller: Caller, request: Members) -> Members:
    """DescribeActivity (fact 110)."""
    activity = _activity(server, request)
    return _listed(activity) | {"encryptionConfiguration": activity.encryption}


def delete_activity(server: Server, caller: Caller, request: Members) -> Members:
    """DeleteActivity; one that does not exist is no error (fact 464)."""
    arn = parse(request["activityArn"], "activity").text
    if activity := server.catalogue.activities.get(arn):
        server.catalogue.remove(activity)
    return {}


def list_activities(server: Server, caller: Caller, request: Members) -> Members:
    """ListActivities, in the order of their names (fact 459)."""
    activities = [one for one in server.catalogue.activities.values() if caller.sees(one.arn)]
    activities.sort(key=lambda one: (one.name, one.arn))
    return paging.answer(
        "ListActivities", request, "activities", activities, lambda one: one.arn, _listed
    )


def get_activity_task(server: Server, caller: Caller, request: Members) -> Waiting:
    """GetActivityTask: a task, or {} after a minute (facts 235, 469)."""
    arn = _activity(server, request).arn
    waiting: list[Poll] = []

    def begin(reply: Any) -> None:
        waiting.append(Poll(arn, request.get("workerName"), reply))
        server.activities.poll(waiting[0])

    return Waiting(begin, lambda: server.activities.leave(waiting[0]))


def send_task_success(server: Server, caller: Caller, request: Members) -> Members:
    """SendTaskSuccess (fact 468)."""
    try:
        output = loads(request["output"])
    except (JSONProblem, RecursionError) as problem:
        raise invalid_output(problem) from None
    return _send(server, request, "succeeded", output)


def send_task_failure(server: Server, caller: Caller, request: Members) -> Members:
    """SendTaskFailure (facts 93 and 468)."""
    failure = {"error": request.get("error"), "cause": request.get("cause")}
    return _send(server, request, "failed", failure)


def send_task_heartbeat(server: Server, caller: Caller, request: Members) -> Members:
    """SendTaskHeartbeat (facts 98 and 468)."""
    return _send(server, request, "heartbeat", None)


def timeline(server: Server, request: Members) -> str | None:
    """Return the timeline of the task whose token a request has, if there is one."""
    return server.store.peers.root_of_token(request["taskToken"])


def pick_up(server: Server, caller: Caller, request: Members) -> Members:
    """PickUp: let a worker at another server begin a task; {} when it does not wait any more."""
    arn, key, worker = request["executionArn"], request["key"], request["worker"]
    return server.activities.pick_up(arn, key, worker)


def open_tokens(server: Server, caller: Caller, request: Members) -> Members:
    """OpenTokens: the tasks of this server's executions, or of one, that others are to answer."""
    executions, arn = server.driver.executions, request.get("executionArn")
    chosen = [executions[arn]] if arn in executions else [] if arn else list(executions.values())
    return {
        "tokens": [
            {"arn": one.arn, "name": one.name, "state": state, "token": token}
            for one in chosen
            for token, state in server.driver.open_tokens(one)
        ]
    }


def _send(server: Server, request: Members, kind: FactKind, data: Any) -> Members:
    """Send to a task; raise TaskTimedOut for one that was over, or whose time was (fact 468)."""
    token = request["taskToken"]
    try:
        sent = server.driver.send(token, kind, data)
    except KeyError:
        raise invalid_token() from None
    if not sent:
        raise task_timed_out()
    return {}


def _activity(server: Server, request: Members) -> Activity:
    arn = parse(request["activityArn"], "activity").text
    if arn not in server.catalogue.activities:
        raise no_activity(arn)
    return server.catalogue.activities[arn]


def _listed(activity: Activity) -> Members:
    return {
        "activityArn": activity.arn,
        "name": activity.name,
        "creationDate": activity.created,
    }


OPERATIONS: Operations = {
    "CreateActivity": create_activity,
    "DescribeActivity": describe_activity,
    "DeleteActivity": delete_activity,
    "ListActivities": list_activities,
    "GetActivityTask": get_activity_task,
    "SendTaskSuccess": send_task_success,
    "SendTaskFailure": send_task_failure,
    "SendTaskHeartbeat": send_task_heartbeat,
}
PEERS: Operations = {"PickUp": pick_up, "OpenTokens": open_tokens}
SENDS = ("SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat")
