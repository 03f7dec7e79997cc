"""State machines inside SAM and CloudFormation templates.

A template's functions, tables and queues get plausible ARNs and names (account 123456789012,
Region us-east-1), so that its machines can run before anything is deployed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ..errors import DefinitionError, InputError, refusal
from .cloudformation import Resolver
from .documents import Document, load, read_traced
from .stacks import LocalStacks
from .substitution import DefinitionText
from .tracing import trace

SAM, CLOUDFORMATION = "AWS::Serverless::StateMachine", "AWS::StepFunctions::StateMachine"
_TYPE = {SAM: "Type", CLOUDFORMATION: "StateMachineType"}


@dataclass(frozen=True, slots=True)
class TemplateMachine:
    """A state machine of a template."""

    name: str
    """As it is deployed: StateMachineName, or its logical id."""
    type: Literal["STANDARD", "EXPRESS"]
    document: Document


def is_template(value: Any) -> bool:
    """Return whether a JSON or YAML value is a template with resources rather than a definition."""
    return isinstance(value, Mapping) and isinstance(value.get("Resources"), Mapping)


def load_machine(
    source: Path | str,
    name: str | None = None,
    *,
    parameters: Mapping[str, str] | None = None,
) -> TemplateMachine:
    """Return one state machine of a template (a file, or its text).

    ``name`` is its logical id; it may be left out when there is but one. ``parameters`` are values
    of the template's Parameters and of `${Name}` placeholders in the definition; they come before
    DefinitionSubstitutions. DefinitionUri is read relative to the template.

    Raises InputError when the machine, the file or something that it refers to is not there, and
    DefinitionError when its definition can't be read.
    """
    return machine_in(load(source), name, parameters=parameters)


def machine_in(
    whole: Document,
    name: str | None = None,
    *,
    parameters: Mapping[str, str] | None = None,
) -> TemplateMachine:
    """Return what `load_machine` does, of a template that is loaded; raise what it raises."""
    if not is_template(whole.definition):
        raise InputError("this is no template: it has no Resources")
    resolver = LocalStacks(whole.path).resolver(whole.definition, parameters or {})
    name, properties, kind = _choose(resolver, name)
    values = _substitutions(properties, resolver) | dict(parameters or {})
    place = replace(whole, base=f"/Resources/{name}/Properties")
    document = _document(properties, resolver, place, values)
    express = resolver.value(properties.get(_TYPE[kind])) == "EXPRESS"
    machine_type: Literal["STANDARD", "EXPRESS"] = "EXPRESS" if express else "STANDARD"
    machine = TemplateMachine(resolver.name(name), machine_type, document)
    if resolver.missing:
        given = " ".join(f"--param {one}=…" for one in resolver.missing)
        raise InputError(f"the template's Parameters need values: {given}")
    return machine


def load_any(
    source: Path | str,
    name: str | None = None,
    *,
    parameters: Mapping[str, str] | None = None,
) -> TemplateMachine:
    """Return one machine of a template, or that of a definition, which is named after its file.

    Raises what `load_machine` raises, and InputError for a `name` where there is no template.
    """
    whole = load(source, parameters=parameters)
    if is_template(whole.definition):
        return load_machine(source, name, parameters=parameters)
    if name is not None:
        raise InputError(
            f"--machine-name {name}: {whole.path or 'this'} is a definition, not a template"
        )
    return TemplateMachine(_file_name(whole.path), "STANDARD", whole)


def _file_name(path: Path | None) -> str:
    stem = path.name.partition(".")[0] if path else ""
    return re.sub(r"[^\w-]", "-", stem, flags=re.ASCII).strip("-") or "StateMachine"


def machine_names(template: Mapping[str, Any], parameters: Mapping[str, str]) -> list[str]:
    """Return the names of a template's state machines, those left out by a condition not."""
    resolver = Resolver(template, parameters)
    return [resolver.name(logical) for logical in _machines(resolver)]


def _machines(resolver: Resolver) -> dict[str, Mapping[str, Any]]:
    return {
        key: resource
        for key, resource in resolver.resources.items()
        if isinstance(resource, Mapping)
        and resource.get("Type") in tuple(_TYPE)
        and resolver.created(key)
    }


def _choose(resolver: Resolver, name: str | None) -> tuple[str, Mapping[str, Any], str]:
    machines = _machines(resolver)
    if not machines:
        raise InputError("the template has no state machine")
    there = f"the template has {', '.join(machines)}"
    if name is None and len(machines) > 1:
        raise InputError(f"which state machine? {there}")
    logical = {resolver.name(one): one for one in machines}
    chosen = next(iter(machines)) if name is None else logical.get(name, name)
    if chosen not in machines:
        raise InputError(f"no state machine {name}; {there}")
    properties = machines[chosen].get("Properties", {})
    if not isinstance(properties, Mapping):
        raise InputError(f"{chosen}: Properties must be an object")
    return chosen, properties, machines[chosen]["Type"]


def _document(
    properties: Mapping[str, Any], resolver: Resolver, whole: Document, values: Mapping[str, str]
) -> Document:
    """Return the definition: written in the template, in a string, or in a file beside it."""
    if "Definition" in properties:
        value = resolver.value(properties["Definition"])
        if not isinstance(value, dict):
            raise InputError("Definition must be an object")
        # An object is JSON before its placeholders are replaced: what is quoted stays a text.
        definition = load(value, parameters=values).definition
        return replace(whole, definition=definition, base=f"{whole.base}/Definition")
    if "DefinitionString" in properties:
        return _string(properties["DefinitionString"], resolver, whole, values)
    return load(_file(properties, resolver, whole.path), parameters=values)


def _string(value: Any, resolver: Resolver, whole: Document, values: Mapping[str, str]) -> Document:
    """Return the definition in a DefinitionString, with its places in the template."""
    if not isinstance(resolver.value(value), str):
        raise InputError("DefinitionString must be a string")
    path = [*whole.base.split("/")[1:], "DefinitionString"]
    text = trace(whole.text, path, value, resolver).filled(values)
    try:
        document = read_traced(text, whole.text)
    except DefinitionError as refused:
        raise refusal(refused.diagnostics, whole.path) from None
    inner = DefinitionText(text, yaml=document.yaml)
    return replace(whole, definition=document.definition, inner=inner)


def _file(properties: Mapping[str, Any], resolver: Resolver, template: Path | None) -> Path:
    """Return the file that DefinitionUri names; of one in S3 the asset or the file of its name."""
    location = properties.get("DefinitionUri") or properties.get("DefinitionS3Location")
    location = resolver.value(location)
    beside = template.parent if template else Path()
    if isinstance(location, str) and not location.startswith("s3:"):
        return beside / location
    key = location.get("Key") if isinstance(location, dict) else location
    if key is None:
        raise InputError("there is no Definition, DefinitionString or DefinitionUri")
    name = str(key).rpartition("/")[2]
    for file in (beside / f"asset.{key}", beside / name):
        if name and file.is_file():
            return file
    raise InputError(f"the definition is in S3 ({key}), and no file {name} is beside the template")


def _substitutions(properties: Mapping[str, Any], resolver: Resolver) -> dict[str, str]:
    substitutions = properties.get("DefinitionSubstitutions", {})
    if not isinstance(substitutions, Mapping):
        raise InputError("DefinitionSubstitutions must be an object")
    return {name: resolver.text(value) for name, value in substitutions.items()}
