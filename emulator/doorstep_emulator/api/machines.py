"""State machines; and definitions that are only validated or tested."""

from __future__ import annotations

from typing import Any

from doorstep import DefinitionError, validate
from doorstep.definitions.documents import read_json
from doorstep.errors import ApiError
from doorstep.model.aws_errors import invalid_request, machine_deleting, no_machine
from doorstep.validation import check
from doorstep.validation.variables import variable_references

from ..arns import Caller, parse
from ..catalogue import Revision, StoredMachine
from ..dispatch import Operations, Waiting
from ..server import Server
from ..store.peers import Members
from . import paging
from .resources import add_tags, check_encryption, check_name
from .versions import describe, publish

_DIAGNOSTICS = 100
"""By default (API reference, ValidateStateMachineDefinition)."""
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


def create_state_machine(
    server: Server, caller: Caller, request: Members, *, placeholders: bool = False
) -> Members:
    """CreateStateMachine; the same request again returns the same machine.

    The same: name, definition, type, logging, tracing, encryption, publish and versionDescription
    (facts 222, 451, 460). StateMachineDeleting while the old one is being deleted (API reference).
    """
    name = check_name(request["name"])
    machine_type = request.get("type", "STANDARD")
    _check_description(request)
    _check_definition(request["definition"], machine_type, placeholders)
    fields = _fields(request)
    arn = caller.arn("stateMachine", name)
    if existing := server.catalogue.machines.get(arn):
        return _created_again(server, existing, machine_type, fields, request)
    now = server.clock.now()
    revision = server.catalogue.add_revision(**fields, machine=arn, at=now, initial=True)
    machine = StoredMachine(
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


def update_state_machine(
    server: Server, caller: Caller, request: Members, *, placeholders: bool = False
) -> Members:
    """UpdateStateMachine; executions that run keep their definition (facts 461, 470)."""
    if not any(member in request for member in _CHANGES):
        raise ApiError("MissingRequiredParameter", _NOTHING_TO_UPDATE)
    machine = server.catalogue.owner(parse(request["stateMachineArn"], "stateMachine").text)
    if machine.arn != request["stateMachineArn"]:
        raise no_machine(request["stateMachineArn"])
    _check_description(request)
    if "definition" in request:
        _check_definition(request["definition"], machine.type, placeholders)
    before = server.catalogue.revision(machine.revision)
    changes, now = _changes(request), server.clock.now()
    fields = {own: getattr(before, own) for own in _CHANGES.values()} | changes
    if changes != {own: getattr(before, own) for own in changes}:
        revision = server.catalogue.add_revision(**fields, machine=machine.arn, at=now)
        machine.revision = revision.id
        server.catalogue.save(machine)
    answer: Members = {"updateDate": now}
    if machine.revision != before.id or not before.initial:
        # Fact 470: what was created has no revision yet.
        answer["revisionId"] = machine.revision
    if request.get("publish"):
        description = request.get("versionDescription")
        version = describe(server, machine, publish(server, machine, description), description)
        answer["stateMachineVersionArn"] = version.arn
    return answer


def describe_state_machine(server: Server, caller: Caller, request: Members) -> Members:
    """DescribeStateMachine: of a machine, or of one of its versions (facts 110 and 112)."""
    arn = parse(request["stateMachineArn"], "stateMachine")
    machine = server.catalogue.machines.get(arn.unqualified)
    version = machine.versions.get(arn.text) if machine else None
    if machine is None or (arn.qualifier and version is None):
        raise no_machine(arn.text)
    revision = server.catalogue.revision(version.revision if version else machine.revision)
    members = {
        "stateMachineArn": arn.text,
        "name": machine.name,
        "status": "DELETING" if machine.deleting else "ACTIVE",
        "type": machine.type,
        "creationDate": version.created if version else machine.created,
        **configuration(revision, request),
    }
    if version and version.description:
        members["description"] = version.description
    return members


def configuration(revision: Revision, request: Members) -> Members:
    """Return a revision for DescribeStateMachine and DescribeStateMachineForExecution.

    With `includedData` METADATA_ONLY the definition is `{}` (API reference).

    Facts 112, 223 and 466.
    """
    members = {member: getattr(revision, own) for member, own in _CHANGES.items()}
    if request.get("includedData") == "METADATA_ONLY":
        members["definition"] = "{}"
    elif references := variable_references(read_json(revision.definition)):
        members["variableReferences"] = references
    # The first revision has no id here, though versions know it as INITIAL.
    return members if revision.initial else {**members, "revisionId": revision.id}


def delete_state_machine(server: Server, caller: Caller, request: Members) -> Members:
    """DeleteStateMachine: it exists until its executions have ended (fact 464)."""
    arn = parse(request["stateMachineArn"], "stateMachine").text
    machine = server.catalogue.machines.get(arn)
    if machine is not None:
        machine.deleting = True
        machine.versions.clear()
        machine.aliases.clear()
        server.catalogue.save(machine)
        server.recorder.finish_deleting(machine.arn)
    return {}


def list_state_machines(server: Server, caller: Caller, request: Members) -> Members:
    """ListStateMachines, in the order of their names (fact 459)."""
    machines = [one for one in server.catalogue.machines.values() if caller.sees(one.arn)]
    return paging.answer(
        "ListStateMachines",
        request,
        "stateMachines",
        sorted(machines, key=lambda one: (one.name, one.arn)),
        lambda one: one.arn,
        lambda one: {
            "stateMachineArn": one.arn,
            "name": one.name,
            "type": one.type,
            "creationDate": one.created,
        },
    )


def validate_definition(server: Server, caller: Caller, request: Members) -> Members:
    """ValidateStateMachineDefinition (facts 21 and 220)."""
    diagnostics = validate(
        request["definition"],
        type=request.get("type", "STANDARD"),
        severity=request.get("severity", "ERROR"),
        placeholders=False,
    )
    most = request.get("maxResults") or _DIAGNOSTICS
    failed = any(one.severity == "ERROR" for one in diagnostics)
    return {
        "result": "FAIL" if failed else "OK",
        "diagnostics": [one.as_aws() for one in diagnostics[:most]],
        "truncated": len(diagnostics) > most,
    }


def test_state(server: Server, caller: Caller, request: Members) -> Waiting:
    """TestState: in a thread, as a handler may take its time.

    Facts 127 and 480 to 486.
    """
    # Imported here: it is large and seldom used.
    from doorstep import test_state as run

    def call() -> Any:
        try:
            return run(
                request,
                server.handlers_source,
                account=caller.account,
                region=caller.region,
                placeholders=False,
            )
        except ApiError as refusal:
            return refusal

    return Waiting(lambda reply: server.clock.invoke(call, reply, None))


def _check_definition(text: str, machine_type: Any, placeholders: bool) -> None:
    # Fact 222: every error in one message. Clients send what deployment has made of a file.
    try:
        check(text, type=machine_type, placeholders=placeholders)
    except DefinitionError as refused:
        raise ApiError("InvalidDefinition", str(refused)) from None


def _check_description(request: Members) -> None:
    # Fact 462: a description belongs to a version.
    if "versionDescription" in request and not request.get("publish"):
        raise invalid_request("Version description can only be set when publish is true")


def _changes(request: Members) -> Members:
    """Return the members of a request that make a revision, by our names."""
    changes = {own: request[member] for member, own in _CHANGES.items() if member in request}
    if "logging" in changes:
        changes["logging"] = _logging(changes["logging"])
    check_encryption(changes.get("encryption"))
    if "tracing" in changes:
        changes["tracing"] = {"enabled": False} | changes["tracing"]
    return changes


def _fields(request: Members) -> Members:
    return {
        "logging": {"level": "OFF", "includeExecutionData": False},
        "tracing": {"enabled": False},
        "encryption": {"type": "AWS_OWNED_KEY"},
        **_changes(request),
    }


def _logging(configuration: Members) -> Members:
    """Return a loggingConfiguration with its defaults; raise ApiError (fact 466)."""
    logging: Members = {"level": "OFF", "includeExecutionData": False} | configuration
    destinations = logging.get("destinations", [])
    named = [
        one for one in destinations if one.get("cloudWatchLogsLogGroup", {}).get("logGroupArn")
    ]
    if logging["level"] != "OFF" and (len(named) != 1 or len(destinations) != 1):
        raise _invalid_logging("Must specify exactly one Log Destination.")
    if not all(one["cloudWatchLogsLogGroup"]["logGroupArn"].endswith(":*") for one in named):
        raise _invalid_logging("The ARN of a log group must end with ':*'.")
    return logging


def _invalid_logging(why: str) -> ApiError:
    message = f"Invalid Logging Configuration: {why}"
    return ApiError("InvalidLoggingConfiguration", message)


def _publication(request: Members) -> list[Any]:
    return [request.get("publish", False), request.get("versionDescription")]


def _created_again(
    server: Server, machine: StoredMachine, machine_type: str, fields: Members, request: Members
) -> Members:
    # Fact 460: what is compared, and what is not.
    if machine.deleting:
        raise machine_deleting(machine.arn)
    # The role is not compared, nor are the tags; the existing ones stay.
    before = server.catalogue.revision(machine.revision)
    compared = {own: value for own, value in fields.items() if own != "role"}
    same = compared == {own: getattr(before, own) for own in compared}
    if not same or machine.type != machine_type or machine.created_with != _publication(request):
        message = f"State Machine Already Exists: '{machine.arn}'"
        raise ApiError("StateMachineAlreadyExists", message)
    return _created(server, machine, request)


def _created(server: Server, machine: StoredMachine, request: Members) -> Members:
    answer = {"stateMachineArn": machine.arn, "creationDate": machine.created}
    if request.get("publish"):
        version = publish(server, machine, request.get("versionDescription"))
        answer["stateMachineVersionArn"] = version.arn
    return answer


OPERATIONS: Operations = {
    "CreateStateMachine": create_state_machine,
    "UpdateStateMachine": update_state_machine,
    "DescribeStateMachine": describe_state_machine,
    "DeleteStateMachine": delete_state_machine,
    "ListStateMachines": list_state_machines,
    "ValidateStateMachineDefinition": validate_definition,
    "TestState": test_state,
}
