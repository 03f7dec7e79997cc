"""State machines; and definitions that are only looked at."""

from __future__ import annotations

import time
from typing import Any

from doorstep import DefinitionError, validate
from doorstep.definitions.documents import read_json
from doorstep.errors import ApiError
from doorstep.model.aws_errors import invalid_request, machine_deleting, no_machine
from doorstep.validation import check
from doorstep.validation.variables import variable_references

from ..arns import Caller, parse
from ..catalogue import Machine, Revision
from ..server import Operations, Server, Waiting
from . import paging
from .resources import add_tags, check_encryption, check_name
from .versions import publish

Request = dict[str, Any]
_DIAGNOSTICS = 100
_NOTHING_TO_UPDATE = (
    "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration "
    "must be specified"
)
_CHANGES = {
    "definition": "definition",
    "roleArn": "role",
    "loggingConfiguration": "logging",
    "tracingConfiguration": "tracing",
    "encryptionConfiguration": "encryption",
}


def create_state_machine(server: Server, caller: Caller, request: Request) -> Request:
    """CreateStateMachine; the same request again gives the same machine."""
    name = check_name(request["name"])
    machine_type = request.get("type", "STANDARD")
    _check_description(request)
    _check_definition(request["definition"], machine_type)
    fields = _fields(request)
    arn = caller.arn("stateMachine", name)
    if existing := server.catalogue.machines.get(arn):
        return _created_again(server, existing, machine_type, fields, request)
    now = time.time()
    revision = server.catalogue.add_revision(**fields, machine=arn, at=now, initial=True)
    machine = Machine(
        arn=arn,
        name=name,
        type=machine_type,
        created=now,
        revision=revision.id,
        created_with=_publication(request),
    )
    add_tags(machine, request.get("tags", []))
    server.catalogue.save(machine)
    return _created(server, machine, request)


def update_state_machine(server: Server, caller: Caller, request: Request) -> Request:
    """UpdateStateMachine; executions that run keep the definition that they began with."""
    if not any(member in request for member in _CHANGES):
        raise ApiError("MissingRequiredParameter", _NOTHING_TO_UPDATE)
    machine = server.catalogue.owner(parse(request["stateMachineArn"], "stateMachine").text)
    if machine.arn != request["stateMachineArn"]:
        raise no_machine(request["stateMachineArn"])
    _check_description(request)
    if "definition" in request:
        _check_definition(request["definition"], machine.type)
    before = server.catalogue.revision(machine.revision)
    fields = {own: getattr(before, own) for own in _CHANGES.values()} | _given(request)
    now = time.time()
    if _given(request) != {own: getattr(before, own) for own in _given(request)}:
        revision = server.catalogue.add_revision(**fields, machine=machine.arn, at=now)
        machine.revision = revision.id
        server.catalogue.save(machine)
    told: Request = {"updateDate": now, "revisionId": machine.revision}
    if request.get("publish"):
        version = publish(server, machine, request.get("versionDescription"))
        told["stateMachineVersionArn"] = version.arn
    return told


def describe_state_machine(server: Server, caller: Caller, request: Request) -> Request:
    """DescribeStateMachine: of a machine, or of one of its versions."""
    arn = parse(request["stateMachineArn"], "stateMachine")
    machine = server.catalogue.machines.get(arn.unqualified)
    version = machine.versions.get(arn.text) if machine else None
    if machine is None or (arn.qualifier and version is None):
        raise no_machine(arn.text)
    revision = server.catalogue.revision(version.revision if version else machine.revision)
    told = {
        "stateMachineArn": arn.text,
        "name": machine.name,
        "status": "DELETING" if machine.deleting else "ACTIVE",
        "type": machine.type,
        "creationDate": version.created if version else machine.created,
        **configuration(revision, request),
    }
    if version and version.description:
        told["description"] = version.description
    return told


def configuration(revision: Revision, request: Request) -> Request:
    """What DescribeStateMachine and DescribeStateMachineForExecution show of a revision.

    With `includedData` METADATA_ONLY the definition is `{}` (API reference).
    """
    shown = {member: getattr(revision, own) for member, own in _CHANGES.items()}
    if request.get("includedData") == "METADATA_ONLY":
        shown["definition"] = "{}"
    elif references := variable_references(read_json(revision.definition)):
        shown["variableReferences"] = references
    # The first revision has no id to show, though versions know it as INITIAL.
    return shown if revision.initial else {**shown, "revisionId": revision.id}


def delete_state_machine(server: Server, caller: Caller, request: Request) -> Request:
    """DeleteStateMachine: it is there until its executions have ended."""
    arn = parse(request["stateMachineArn"], "stateMachine").text
    machine = server.catalogue.machines.get(arn)
    if machine is not None:
        machine.deleting = True
        machine.versions.clear()
        machine.aliases.clear()
        server.catalogue.save(machine)
        server.keeper.finish_deleting(machine.arn)
    return {}


def list_state_machines(server: Server, caller: Caller, request: Request) -> Request:
    """ListStateMachines, the newest first."""
    machines = [one for one in server.catalogue.machines.values() if caller.sees(one.arn)]
    return paging.answer(
        "ListStateMachines",
        request,
        "stateMachines",
        sorted(machines, key=lambda one: one.created, reverse=True),
        lambda one: one.arn,
        lambda one: {
            "stateMachineArn": one.arn,
            "name": one.name,
            "type": one.type,
            "creationDate": one.created,
        },
    )


def validate_definition(server: Server, caller: Caller, request: Request) -> Request:
    """ValidateStateMachineDefinition."""
    found = validate(
        request["definition"],
        type=request.get("type", "STANDARD"),
        severity=request.get("severity", "ERROR"),
    )
    most = request.get("maxResults") or _DIAGNOSTICS
    failed = any(one.severity == "ERROR" for one in found)
    return {
        "result": "FAIL" if failed else "OK",
        "diagnostics": [one.as_aws() for one in found[:most]],
        "truncated": len(found) > most,
    }


def test_state(server: Server, caller: Caller, request: Request) -> Waiting:
    """TestState: in a thread, as a handler may take its time."""
    # Imported here: it is large and seldom used.
    from doorstep import test_state as run

    def call() -> Any:
        try:
            return run(request, server.handlers_path)
        except ApiError as refused:
            return refused

    return Waiting(lambda reply: server.clock.invoke(call, reply, None))


def _check_definition(text: str, machine_type: Any) -> None:
    try:
        check(text, type=machine_type)
    except DefinitionError as refused:
        raise ApiError("InvalidDefinition", str(refused)) from None


def _check_description(request: Request) -> None:
    if "versionDescription" in request and not request.get("publish"):
        raise invalid_request("Version description can only be set when publish is true")


def _given(request: Request) -> Request:
    """The members that make a revision, by our names, as far as they are given."""
    given = {own: request[member] for member, own in _CHANGES.items() if member in request}
    if "logging" in given:
        given["logging"] = _logging(given["logging"])
    check_encryption(given.get("encryption"))
    if "tracing" in given:
        given["tracing"] = {"enabled": False} | given["tracing"]
    return given


def _fields(request: Request) -> Request:
    return {
        "logging": {"level": "OFF", "includeExecutionData": False},
        "tracing": {"enabled": False},
        "encryption": {"type": "AWS_OWNED_KEY"},
        **_given(request),
    }


def _logging(given: Request) -> Request:
    logging: Request = {"level": "OFF", "includeExecutionData": False} | given
    destinations = logging.get("destinations", [])
    named = [
        one for one in destinations if one.get("cloudWatchLogsLogGroup", {}).get("logGroupArn")
    ]
    if logging["level"] != "OFF" and (len(named) != 1 or len(destinations) != 1):
        told = "Invalid Logging Configuration: Must specify exactly one Log Destination."
        raise ApiError("InvalidLoggingConfiguration", told)
    if not all(one["cloudWatchLogsLogGroup"]["logGroupArn"].endswith(":*") for one in named):
        told = "Invalid Logging Configuration: The ARN of a log group must end with ':*'."
        raise ApiError("InvalidLoggingConfiguration", told)
    return logging


def _publication(request: Request) -> list[Any]:
    return [request.get("publish", False), request.get("versionDescription")]


def _created_again(
    server: Server, machine: Machine, machine_type: str, fields: Request, request: Request
) -> Request:
    if machine.deleting:
        raise machine_deleting(machine.arn)
    # The role is not compared, nor are the tags; the existing ones are kept.
    before = server.catalogue.revision(machine.revision)
    compared = {own: value for own, value in fields.items() if own != "role"}
    same = compared == {own: getattr(before, own) for own in compared}
    if not same or machine.type != machine_type or machine.created_with != _publication(request):
        told = f"State Machine Already Exists: '{machine.arn}'"
        raise ApiError("StateMachineAlreadyExists", told)
    return _created(server, machine, request)


def _created(server: Server, machine: Machine, request: Request) -> Request:
    told = {"stateMachineArn": machine.arn, "creationDate": machine.created}
    if request.get("publish"):
        version = publish(server, machine, request.get("versionDescription"))
        told["stateMachineVersionArn"] = version.arn
    return told


OPERATIONS: Operations = {
    "CreateStateMachine": create_state_machine,
    "UpdateStateMachine": update_state_machine,
    "DescribeStateMachine": describe_state_machine,
    "DeleteStateMachine": delete_state_machine,
    "ListStateMachines": list_state_machines,
    "ValidateStateMachineDefinition": validate_definition,
    "TestState": test_state,
}
