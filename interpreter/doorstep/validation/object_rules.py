"""Rules across the fields of one object: a Task, a Map and its parts, a choice rule, Retry, Catch.

`RULES` has them by the name of the object in the grammar; "fact N" is an entry of docs/facts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..definitions.substitution import has_placeholder
from ..errors import Diagnostic
from ..model import (
    COMPARATORS,
    SELECTORS,
    WORKING,
    Integration,
    integration,
    is_recognized,
    missing_names,
    required_but_missing,
    similar_action,
    unknown_names,
)
from .diagnostics import (
    Diagnostics,
    Location,
    Rule,
    error,
    expected,
    not_supported,
    only_one,
    required,
)

# Task -------------------------------------------------------------------------------------------


def _task_resource(fields: Mapping[str, Any], location: Location) -> Diagnostics:
    """Check that a Task names a function, an activity, or a known integration (facts 215, 230)."""
    resource = fields.get("Resource")
    if not isinstance(resource, str) or location.left_open(resource):
        return
    location = location.member("Resource")
    if not resource.startswith("arn:"):
        if not location.machine.resource_names:
            yield error("Value is not a valid resource ARN", location)
    elif not _recognized(resource):
        text = (
            f"The resource provided {resource} is not recognized. The value is not a valid "
            "resource ARN, or the resource is not available in this region."
        )
        yield error(text, location, hint=_other_action(resource))


def _other_action(resource: str) -> str | None:
    task = integration(resource)
    name = similar_action(task) if task.kind == "service" else None
    return f"did you mean '{name}'?" if name else None


def _recognized(resource: str) -> bool:
    # Fact 230: the forms that a Resource can have.
    task = integration(resource)
    if resource.split(":")[2:3] != ["states"]:
        return True
    return task.kind == "activity" or (task.kind == "service" and is_recognized(task))


def _task_place(fields: Mapping[str, Any], location: Location) -> Diagnostics:
    """Warn of a Region and an account in an integration's ARN, which AWS takes (fact 243)."""
    task = _service(fields)
    parts = fields["Resource"].split(":") if task else []
    if task and parts[3] + parts[4]:
        yield error(
            "The ARN of an integration names a Region and an account, which it has no need of",
            location.member("Resource"),
            "RESOURCE_NAMES_ACCOUNT",
            hint=f"it is arn:{parts[1]}:states:::{':'.join(parts[5:])}",
            severity="WARNING",
        )


def _task_express(fields: Mapping[str, Any], location: Location) -> Diagnostics:
    """Refuse in an Express machine what waits for jobs, callbacks or activities (fact 217)."""
    resource = fields.get("Resource")
    if not location.machine.express or not isinstance(resource, str):
        return
    task, location = integration(resource), location.member("Resource")
    refused = "Express state machine does not support"
    if task.kind == "activity":
        yield error(f"{refused} Activity ARN", location)
    elif task.pattern.startswith("sync"):
        yield error(f"{refused} '.sync' service integration", location)
    elif task.pattern == "waitForTaskToken":
        # The blank at the end is AWS's.
        yield error(f"{refused} '.waitForTaskToken' service integration ", location)


def _parameters(fields: Mapping[str, Any], location: Location) -> Diagnostics:
    """Check that a service gets what it requires, and nothing that it does not have.

    Facts 241 and 242; what is computed, or stands in a list, is looked at when the task starts.
    """
    task = _service(fields)
    if task is None or not is_recognized(task):
        return
    name = "Arguments" if location.jsonata else "Parameters"
    if name not in fields:
        text = f"{name} field is required for resource ARN: {fields['Resource']}"
        yield error(text, location.member("Resource"))
    elif isinstance(payload := fields[name], Mapping):
        yield from _missing_parameters(task, payload, location.member(name))
        yield from _unknown_parameters(task, payload, location.member(name))
        if task.action == "lambda:invoke" and isinstance(payload.get("Payload"), int | float):
            # Fact 143: refused; the words are ours.
            yield expected("[OBJECT, ARRAY, STRING]", location.member(name).member("Payload"))


def _missing_parameters(
    task: Integration, payload: Mapping[str, Any], location: Location
) -> Diagnostics:
    for field in missing_names(task, {name.removesuffix(".$") for name in payload}):
        yield _missing(field, location)
    called = payload.get("Authentication") if task.action == "http:invoke" else None
    if isinstance(called, Mapping) and not called.keys() & {"ConnectionArn", "ConnectionArn.$"}:
        yield _missing("ConnectionArn", location.member("Authentication"))


def _unknown_parameters(
    task: Integration, payload: Mapping[str, Any], location: Location
) -> Diagnostics:
    for unknown in unknown_names(task, payload, written=True):
        hint = f"did you mean '{unknown.suggestion}'?" if unknown.suggestion else None
        if unknown.certain:
            yield error(str(unknown), location, hint=hint)
        else:
            text = f'The field "{unknown.name}" is not in the installed model of the service'
            hint = "the model is botocore's; a newer one may have it: pip install -U botocore"
            yield error(text, location, "UNKNOWN_PARAMETER", hint=hint, severity="WARNING")


def _service(fields: Mapping[str, Any]) -> Integration | None:
    resource = fields.get("Resource")
    if not isinstance(resource, str) or has_placeholder(resource):
        return None
    task = integration(resource)
    return task if task.kind == "service" else None


def _credentials(fields: Mapping[str, Any], location: Location) -> Diagnostics:
    """Check that Credentials name a role to assume; activities have none (fact 216)."""
    credentials = fields.get("Credentials")
    if not isinstance(credentials, Mapping):
        return
    location = location.member("Credentials")
    if "RoleArn" not in credentials and "RoleArn.$" not in credentials:
        yield _missing("RoleArn", location)
    resource = fields.get("Resource")
    if isinstance(resource, str) and integration(resource).kind == "activity":
        yield error("The field 'Credentials' is not supported for activities", location)


def _heartbeat(fields: Mapping[str, Any], location: Location) -> Diagnostics:
    """Check that a heartbeat can be missed before the task's time is over (facts 208, 314)."""
    beat, limit = fields.get("HeartbeatSeconds"), fields.get("TimeoutSeconds")
    if isinstance(beat, int) and isinstance(limit, int) and beat >= limit:
        yield error("HeartbeatSeconds must be smaller than TimeoutSeconds", location)


def _missing(name: str, location: Location) -> Diagnostic:
    return error(required_but_missing(name), location)


# Map ----------------------------------------------------------------------------------------------

_DISTRIBUTED_ONLY = ("ItemReader", "ItemBatcher", "ResultWriter")
_READERS = re.compile(r"arn:[^:]+:states:::s3:(?:getObject|listObjectsV2)")
_WRITERS = re.compile(r"arn:[^:]+:states:::s3:putObject")
_BATCH_SIZES = ("MaxItemsPerBatch", "MaxInputBytesPerBatch")


def _inline(fields: Mapping[str, Any], location: Location) -> Diagnostics:
    """Refuse outside DISTRIBUTED mode the fields for data sets (fact 24).

    Tolerances are accepted there, and have no effect.
    """
    processor = fields.get("ItemProcessor", fields.get("Iterator"))
    if not isinstance(processor, Mapping):
        return
    config = processor.get("ProcessorConfig", {})
    if isinstance(config, Mapping) and config.get("Mode", "INLINE") == "INLINE":
        hint = 'it needs "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": …}'
        for name in _DISTRIBUTED_ONLY:
            if name in fields:
                yield not_supported(name, location, hint)


def _execution_type(fields: Mapping[str, Any], location: Location) -> Diagnostics:
    """Check ExecutionType: required in DISTRIBUTED mode, refused in INLINE (fact 271)."""
    mode = fields.get("Mode", "INLINE")
    if mode == "DISTRIBUTED" and "ExecutionType" not in fields:
        yield required(("ExecutionType",), location)
    elif mode == "INLINE" and "ExecutionType" in fields:
        yield not_supported("ExecutionType", location)


def _map_express(fields: Mapping[str, Any], location: Location) -> Diagnostics:
    """Refuse a distributed Map in an Express machine.

    https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html
    """
    if location.machine.express and fields.get("Mode") == "DISTRIBUTED":
        text = (
            "The field 'Mode' with value 'DISTRIBUTED' is not supported "
            "inside 'EXPRESS' state machines"
        )
        yield error(text, location.member("Mode"))


_OF_CSV = ("CSVHeaderLocation", "CSVHeaders", "CSVDelimiter")
# Recorded: the headers of JSON and JSONL, ManifestType of JSON; the others by analogy.
_NOT_OF_TYPE: Mapping[str, tuple[str, ...]] = {
    "CSV": ("ItemsPointer",),
    "JSON": (*_OF_CSV, "ManifestType"),
    **dict.fromkeys(("JSONL", "PARQUET", "MANIFEST"), (*_OF_CSV, "ItemsPointer")),
}


def _reader_config(fields: Mapping[str, Any], location: Location) -> Diagnostics:
    """Check that a ReaderConfig has the fields of its InputType, all of them (facts 148, 276)."""
    input_type = fields.get("InputType")
    if input_type is None and fields.get("Transformation") == "LOAD_AND_FLATTEN":
        yield _is_required("InputType", location)
    elif input_type == "CSV" and "CSVHeaderLocation" not in fields:
        # Recorded: of what else is wrong with it nothing is said then.
        yield _is_required("CSVHeaderLocation", location)
    elif isinstance(input_type, str):
        unsupported = _NOT_OF_TYPE.get(input_type, ())
        yield from (not_supported(name, location) for name in fields if name in unsupported)
        given = input_type == "CSV" and fields["CSVHeaderLocation"] == "GIVEN"
        if given and "CSVHeaders" not in fields:
            yield required(("CSVHeaders",), location)


def _is_required(name: str, location: Location) -> Diagnostic:
    return error(f"The field '{name}' is required", location)


def _items_pointer(fields: Mapping[str, Any], location: Location) -> Diagnostics:
    """Check that ItemsPointer is a JSON Pointer (fact 148, in the words of AWS's library)."""
    pointer = fields.get("ItemsPointer")
    if (
        isinstance(pointer, str)
        and not location.left_open(pointer)
        and pointer[:1] not in ("", "/")
    ):
        text = f"Invalid input: JSON Pointer expression must start with '/': \"{pointer}\""
        yield error(text, location.member("ItemsPointer"))


def _reader(fields: Mapping[str, Any], location: Location) -> Diagnostics:
    """Check that an ItemReader calls one of the actions that read (fact 23)."""
    return _s3_resource(fields, location, _READERS)


def _writer(fields: Mapping[str, Any], location: Location) -> Diagnostics:
    """Check that a ResultWriter writes to S3 and says where (facts 118, 284)."""
    yield from _s3_resource(fields, location, _WRITERS)
    payload = "Arguments" if location.jsonata else "Parameters"
    if "Resource" in fields and payload not in fields:
        yield required((payload,), location)
    where = fields.get(payload)
    if isinstance(where, Mapping) and "Prefix" not in where and "Prefix.$" not in where:
        yield _missing("Prefix", location.member(payload))


def _s3_resource(
    fields: Mapping[str, Any], location: Location, allowed: re.Pattern[str]
) -> Diagnostics:
    value = fields.get("Resource")
    if isinstance(value, str) and not location.left_open(value) and not allowed.fullmatch(value):
        text = "The field 'Resource' does not match any of the allowed values"
        yield error(text, location.member("Resource"))


def _batch_size(fields: Mapping[str, Any], location: Location) -> Diagnostics:
    """Check that an ItemBatcher limits its batches by number or size (fact 281)."""
    if not any(name in fields or f"{name}Path" in fields for name in _BATCH_SIZES):
        yield required(_BATCH_SIZES, location)


# Choice -------------------------------------------------------------------------------------------


def _selector(fields: Mapping[str, Any], location: Location) -> Diagnostics:
    """Check that a rule combines rules, compares a Variable, or has a Condition (fact 256)."""
    if sum(name in fields for name in SELECTORS) != 1:
        names = ", ".join(SELECTORS)
        yield error(f"The object must have only one of the following fields, [{names}]", location)


def _comparator(fields: Mapping[str, Any], location: Location) -> Diagnostics:
    """Check that a Variable is compared once (fact 37)."""
    number = sum(name in fields for name in COMPARATORS)
    if "Variable" in fields and number != 1 and not location.jsonata:
        yield only_one(list(COMPARATORS), number, location)


# Retry, Catch -------------------------------------------------------------------------------------


def _wildcards(fields: Mapping[str, Any], location: Location) -> Diagnostics:
    """Check that States.ALL stands alone, in the last retrier or catcher (fact 305)."""
    for name in ("Retry", "Catch"):
        entries = fields.get(name)
        if isinstance(entries, list):
            for index, entry in enumerate(entries):
                last = index == len(entries) - 1
                yield from _wildcard(entry, location.member(name).item(index), last=last)


def _wildcard(entry: Any, location: Location, *, last: bool) -> Diagnostics:
    # Fact 305: States.ALL stands alone.
    names = entry.get("ErrorEquals") if isinstance(entry, Mapping) else None
    if not isinstance(names, list) or "States.ALL" not in names or (last and len(names) == 1):
        return
    where = location.member("ErrorEquals").item(names.index("States.ALL"))
    yield error("States.ALL must appear alone and at end of list", where)


RULES: Mapping[str, tuple[Rule, ...]] = {
    **dict.fromkeys(WORKING, (_wildcards,)),
    "Task": (
        _task_resource,
        _task_place,
        _task_express,
        _parameters,
        _credentials,
        _heartbeat,
        _wildcards,
    ),
    "Map": (_inline, _wildcards),
    "ProcessorConfig": (_execution_type, _map_express),
    "ItemReader": (_reader,),
    "ReaderConfig": (_reader_config, _items_pointer),
    "ItemBatcher": (_batch_size,),
    "ResultWriter": (_writer,),
    "Choice rule": (_selector, _comparator),
}
"""By the name of the object in `model.grammar`, a state's being its type."""
