"""State machines inside SAM and CloudFormation templates.

A template's functions, tables and queues get plausible ARNs and names (account 123456789012,
Region us-east-1), so that its machines can run before anything is deployed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ..errors import InputError
from .documents import Document, load, substitute

SAM, CLOUDFORMATION = "AWS::Serverless::StateMachine", "AWS::StepFunctions::StateMachine"
_TYPE = {SAM: "Type", CLOUDFORMATION: "StateMachineType"}


@dataclass(frozen=True, slots=True)
class TemplateMachine:
    """A state machine of a template, under its logical id."""

    name: str
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
    whole = load(source)
    if not is_template(whole.definition):
        raise InputError("this is no template: it has no Resources")
    values = dict(parameters or {})
    resolver = Resolver(whole.definition, values)
    name, properties, kind = _choose(whole.definition["Resources"], name)
    document = _document(properties, resolver, replace(whole, base=f"/Resources/{name}/Properties"))
    values = _substitutions(properties, resolver) | values
    document = replace(document, definition=substitute(document.definition, values))
    express = resolver.value(properties.get(_TYPE[kind])) == "EXPRESS"
    return TemplateMachine(name, "EXPRESS" if express else "STANDARD", document)


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
            f"--resource {name}: {whole.path or 'this'} is a definition, not a template"
        )
    return TemplateMachine(_file_name(whole.path), "STANDARD", whole)


def _file_name(path: Path | None) -> str:
    stem = path.name.partition(".")[0] if path else ""
    return re.sub(r"[^\w-]", "-", stem, flags=re.ASCII).strip("-") or "StateMachine"


def _choose(resources: Mapping[str, Any], name: str | None) -> tuple[str, Mapping[str, Any], str]:
    machines = {
        key: resource
        for key, resource in resources.items()
        if isinstance(resource, Mapping) and resource.get("Type") in tuple(_TYPE)
    }
    if not machines:
        raise InputError("the template has no state machine")
    there = f"the template has {', '.join(machines)}"
    if name is None and len(machines) > 1:
        raise InputError(f"which state machine? {there}")
    chosen = next(iter(machines)) if name is None else name
    if chosen not in machines:
        raise InputError(f"no state machine {chosen}; {there}")
    properties = machines[chosen].get("Properties", {})
    if not isinstance(properties, Mapping):
        raise InputError(f"{chosen}: Properties must be an object")
    return chosen, properties, machines[chosen]["Type"]


def _document(properties: Mapping[str, Any], resolver: Resolver, whole: Document) -> Document:
    """Return the definition: written in the template, in a string, or in a file beside it."""
    if "Definition" in properties:
        value = resolver.value(properties["Definition"])
        if not isinstance(value, dict):
            raise InputError("Definition must be an object")
        return replace(whole, definition=value, base=f"{whole.base}/Definition")
    if "DefinitionString" in properties:
        text = resolver.value(properties["DefinitionString"])
        if not isinstance(text, str):
            raise InputError("DefinitionString must be a string")
        return load(text)
    uri = properties.get("DefinitionUri")
    if not isinstance(uri, str) or uri.startswith("s3:"):
        raise InputError("the definition is not in this template, nor in a file beside it")
    beside = whole.path.parent if whole.path else Path()
    return load(beside / uri)


def _substitutions(properties: Mapping[str, Any], resolver: Resolver) -> dict[str, str]:
    substitutions = properties.get("DefinitionSubstitutions", {})
    if not isinstance(substitutions, Mapping):
        raise InputError("DefinitionSubstitutions must be an object")
    return {name: str(resolver.value(value)) for name, value in substitutions.items()}


# CloudFormation's functions ---------------------------------------------------------------------

ACCOUNT, REGION, PARTITION = "123456789012", "us-east-1", "aws"
_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": PARTITION,
    "AWS::StackName": "stack",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": "",
}
# Resource type: what comes between partition and name in its ARN.
_ARNS = {
    "AWS::Lambda::Function": f"lambda:{REGION}:{ACCOUNT}:function:",
    "AWS::Serverless::Function": f"lambda:{REGION}:{ACCOUNT}:function:",
    "AWS::StepFunctions::StateMachine": f"states:{REGION}:{ACCOUNT}:stateMachine:",
    "AWS::Serverless::StateMachine": f"states:{REGION}:{ACCOUNT}:stateMachine:",
    "AWS::StepFunctions::Activity": f"states:{REGION}:{ACCOUNT}:activity:",
    "AWS::SNS::Topic": f"sns:{REGION}:{ACCOUNT}:",
    "AWS::SQS::Queue": f"sqs:{REGION}:{ACCOUNT}:",
    "AWS::DynamoDB::Table": f"dynamodb:{REGION}:{ACCOUNT}:table/",
    "AWS::Serverless::SimpleTable": f"dynamodb:{REGION}:{ACCOUNT}:table/",
    "AWS::Events::EventBus": f"events:{REGION}:{ACCOUNT}:event-bus/",
    "AWS::IAM::Role": f"iam::{ACCOUNT}:role/",
    "AWS::S3::Bucket": "s3:::",
}
_REF_IS_ARN = (
    "AWS::StepFunctions::StateMachine",
    "AWS::Serverless::StateMachine",
    "AWS::StepFunctions::Activity",
    "AWS::SNS::Topic",
)
_SUBSTITUTED = re.compile(r"\$\{(!?)([^${}]+)\}")


class Resolver:
    """Values of a template with `Ref` and `Fn::…` resolved; InputError for what is not there."""

    def __init__(self, template: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
        self._resources: Mapping[str, Any] = template["Resources"]
        declared = template.get("Parameters")
        defaults = {
            name: declaration["Default"]
            for name, declaration in (declared if isinstance(declared, Mapping) else {}).items()
            if isinstance(declaration, Mapping) and "Default" in declaration
        }
        self._values: Mapping[str, Any] = _PSEUDO | defaults | dict(parameters)
        self._functions: Mapping[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::ToJsonString": self.value,
        }

    def value(self, value: Any) -> Any:
        """Return a copy of a value with its functions resolved."""
        match value:
            case dict():
                if len(value) == 1:
                    ((name, argument),) = value.items()
                    if name == "Ref" or name.startswith("Fn::"):
                        return self._call(name, argument)
                return {name: self.value(inner) for name, inner in value.items()}
            case list():
                return [self.value(inner) for inner in value]
        return value

    def _call(self, name: str, argument: Any) -> Any:
        if name not in self._functions:
            raise InputError(f"{name} cannot be resolved without deploying")
        try:
            return self._functions[name](argument)
        except (TypeError, ValueError, IndexError):
            raise InputError(f"{name}: what is this? {argument!r:.80}") from None

    def _ref(self, name: Any) -> Any:
        if name in self._values:
            return self._values[name]
        kind = self._kind(name)
        return self._arn(name) if kind in _REF_IS_ARN else name

    def _get_att(self, argument: Any) -> str:
        name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument[:2]
        self._kind(name)
        return self._arn(name) if str(attribute).endswith("Arn") else f"{name}.{attribute}"

    def _sub(self, argument: Any) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else argument
        values = self.value(own)

        def replaced(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in values:
                return str(values[name])
            return str(self._get_att(name) if "." in name else self._ref(name))

        return _SUBSTITUTED.sub(replaced, text)

    def _join(self, argument: Any) -> str:
        separator, parts = argument
        return str(separator).join(str(part) for part in self.value(parts))

    def _select(self, argument: Any) -> Any:
        index, parts = argument
        return self.value(parts)[int(index)]

    def _kind(self, name: Any) -> str:
        resource = self._resources.get(name) if isinstance(name, str) else None
        if not isinstance(resource, Mapping):
            hint = f"give it a value: --param {name}=…"
            raise InputError(f"the template references {name}, which is not defined; {hint}")
        return str(resource.get("Type", ""))

    def _arn(self, name: str) -> str:
        kind = self._kind(name)
        return f"arn:{PARTITION}:{_ARNS.get(kind, f'cloudformation:{REGION}:{ACCOUNT}:')}{name}"
