"""Projects of other tools, rewritten as a CloudFormation template.

Sources: the Serverless Framework's reference of `serverless.yml` (names of functions and their
logical ids), the plugin serverless-step-functions, Terraform's "JSON output format".
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..values.json_values import dumps, loads
from . import yaml_text

SERVERLESS = ("serverless.yml", "serverless.yaml")
TERRAFORM = "*.tfplan.json"
Template = dict[str, Any]
_VARIABLE = re.compile(r"\$\{(self|opt|env|param|sls):([^${},]*)(?:,\s*([^${}]*))?\}")


def template_text(path: Path, parameters: Mapping[str, str]) -> str | None:
    """Return the template of another tool's file as JSON text; None for other files.

    Raises InputError for a file that Doorstep can't read, and says which one to give.
    """
    if path.name in SERVERLESS:
        return _template(path, _read(path, yaml_text.loads), partial(_serverless, parameters))
    if path.suffix == ".json" and path.is_file() and b'"terraform_version"' in _beginning(path):
        return _template(path, _read(path, loads), partial(_terraform, path.parent))
    if path.suffix == ".tf":
        raise InputError(
            f"{path.name} is in Terraform's own language, which Doorstep does not read; give the "
            "file of the definition and what templatefile puts in (--param NAME=VALUE), or the "
            "plan: terraform show -json PLAN > main.tfplan.json"
        )
    return None


def _template(path: Path, whole: Any, rewrite: Callable[[Any], Template]) -> str:
    """Return a template as JSON text; raise InputError for a file of another form."""
    try:
        return dumps(rewrite(whole))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as problem:
        raise InputError(f"{path} is not written as its tool asks for ({problem})") from None


def _beginning(path: Path) -> bytes:
    """Return the first bytes of a file; none of one that can't be read, which `load` reports."""
    try:
        with path.open("rb") as file:
            return file.read(1000)
    except OSError:
        return b""


def _read(path: Path, loads_text: Any) -> Any:
    try:
        return loads_text(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml_text.YAMLProblem) as problem:
        raise InputError(f"{path}: {problem}") from None


# The Serverless Framework ------------------------------------------------------------------------


def _serverless(parameters: Mapping[str, str], whole: Any) -> Template:
    if not isinstance(whole, dict) or not isinstance(whole.get("stepFunctions"), dict):
        raise InputError("this serverless.yml has no stepFunctions")
    whole = _filled(whole, whole, parameters)
    provider, functions = whole.get("provider") or {}, whole.get("functions") or {}
    stage = provider.get("stage") or parameters.get("stage", "dev")
    logical = {name: f"{name[:1].upper()}{_plain(name[1:])}LambdaFunction" for name in functions}
    resources: Template = {}
    for name, own in functions.items():
        variables = {**(provider.get("environment") or {}), **(own.get("environment") or {})}
        properties = {
            "FunctionName": own.get("name") or f"{whole.get('service')}-{stage}-{name}",
            "CodeUri": ".",
            "Handler": own.get("handler"),
            "Runtime": own.get("runtime") or provider.get("runtime", "nodejs20.x"),
            # The framework's defaults.
            "Timeout": own.get("timeout") or provider.get("timeout", 6),
            "MemorySize": own.get("memorySize") or provider.get("memorySize", 1024),
            "Environment": {"Variables": variables},
        }
        resources[logical[name]] = {
            "Type": "AWS::Serverless::Function",
            "Properties": _pointed(properties, logical),
        }
        resources |= _rules(own.get("events"), {"Fn::GetAtt": [logical[name], "Arn"]}, name)
    for name, own in (whole["stepFunctions"].get("stateMachines") or {}).items():
        properties = {
            "StateMachineName": own.get("name") or name,
            "StateMachineType": own.get("type", "STANDARD"),
            "Definition": _pointed(own.get("definition"), logical),
        }
        key = f"{_plain(name[:1].upper() + name[1:])}StepFunctionsStateMachine"
        resources[own.get("id") or key] = {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": properties,
        }
        resources |= _rules(own.get("events"), {"Ref": own.get("id") or key}, name)
    extra = whole.get("resources") or {}
    for part in extra if isinstance(extra, list) else [extra]:
        resources |= part.get("Resources") or {}
    return {"Resources": resources}


def _rules(events: Any, arn: Template, name: str) -> Template:
    """Return the rules that schedules, events of EventBridge and of CloudWatch are deployed as."""
    rules: Template = {}
    for number, event in enumerate(events if isinstance(events, list) else ()):
        for kind, own in event.items() if isinstance(event, dict) else ():
            key = f"{_plain(name)}{kind[:1].upper()}{kind[1:]}{number}"
            for each, properties in enumerate(_rule(kind, own)):
                target = {"Id": key, "Arn": arn} | properties.pop("Target")
                rules[f"{key}{each or ''}"] = {
                    "Type": "AWS::Events::Rule",
                    "Properties": {**properties, "Targets": [target]},
                }
    return rules


def _rule(kind: str, own: Any) -> Iterator[Template]:
    """Yield a rule's properties; `Target`: what its target gets in place of the event."""
    own = own if isinstance(own, dict) else {"rate": own}
    named = {"input": "Input", "inputPath": "InputPath", "inputTransformer": "InputTransformer"}
    target: Template = {new: own[old] for old, new in named.items() if old in own}
    if isinstance(target.get("Input"), dict):
        target["Input"] = dumps(target["Input"])
    shared: Template = {"State": "DISABLED" if own.get("enabled") is False else "ENABLED"}
    if bus := own.get("eventBus"):
        shared["EventBusName"] = bus
    rates = own.get("rate") if kind == "schedule" else own.get("schedule")
    for rate in rates if isinstance(rates, list) else [rates] if rates else ():
        yield {**shared, "ScheduleExpression": rate, "Target": dict(target)}
    if pattern := own.get("pattern") or own.get("event"):
        yield {**shared, "EventPattern": pattern, "Target": dict(target)}


def _plain(name: str) -> str:
    return name.replace("-", "Dash").replace("_", "Underscore")


def _pointed(value: Any, logical: Mapping[str, str]) -> Any:
    """Return a value whose references to functions name their logical ids, as the plugin does."""
    match value:
        case {"Fn::GetAtt": [name, *rest]} if name in logical:
            return {"Fn::GetAtt": [logical[name], *rest]}
        case {"Fn::GetAtt": str() as text} if text.partition(".")[0] in logical:
            name, _, attribute = text.partition(".")
            return {"Fn::GetAtt": [logical[name], attribute]}
        case {"Ref": name} if name in logical:
            return {"Ref": logical[name]}
        case dict():
            return {key: _pointed(one, logical) for key, one in value.items()}
        case list():
            return [_pointed(one, logical) for one in value]
    return value


def _filled(value: Any, whole: Any, parameters: Mapping[str, str]) -> Any:
    """Return a value with `${self:…}`, `${opt:…}`, `${env:…}` and `${param:…}` worked out."""
    match value:
        case dict():
            return {key: _filled(one, whole, parameters) for key, one in value.items()}
        case list():
            return [_filled(one, whole, parameters) for one in value]
        case str():
            for _ in range(10):
                if (match := _VARIABLE.fullmatch(value)) is not None:
                    found = _variable(match, whole, parameters)
                    return _filled(found, whole, parameters) if found != value else found
                before = value
                value = _VARIABLE.sub(lambda m: str(_variable(m, whole, parameters)), value)
                if value == before:
                    break
    return value


def _variable(match: re.Match[str], whole: Any, parameters: Mapping[str, str]) -> Any:
    kind, name, other = match[1], match[2].strip(), match[3]
    value: Any = None
    if kind == "self":
        value = whole
        for step in name.split("."):
            value = value.get(step) if isinstance(value, dict) else None
    elif kind == "env":
        value = os.environ.get(name)
    elif kind == "sls" and name == "stage":
        value = parameters.get("stage", "dev")
    else:
        value = parameters.get(name)
    if value is not None:
        return value
    if other is not None:
        text = other.strip()
        # A fallback is a literal in quotes, or a variable without its own `${…}`.
        if (inner := _VARIABLE.fullmatch(f"${{{text}}}")) is not None:
            return _variable(inner, whole, parameters)
        return text.strip("'\"")
    raise InputError(f"{match[0]} has no value; give it one: --param {name}=…")


# Terraform ---------------------------------------------------------------------------------------


def _terraform(folder: Path, whole: Any) -> Template:
    """Return the template of what `terraform show -json` prints of a plan or a state."""
    values = whole.get("planned_values") or whole.get("values") or {}
    found = list(_resources(values.get("root_module") or {}))
    prior = (whole.get("prior_state") or {}).get("values") or {}
    data = [*found, *_resources(prior.get("root_module") or {})]
    archives = {
        own["output_path"]: own.get("source_dir") or str(Path(own.get("source_file", ".")).parent)
        for kind, _, own in data
        if kind == "archive_file" and own.get("output_path")
    }
    resources: Template = {}
    for kind, address, own in found:
        made = _TERRAFORM.get(kind)
        if made:
            resources[re.sub(r"\W", "", address)] = made(own, archives, folder)
    return {"Resources": resources}


def _resources(module: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for one in module.get("resources", ()):
        yield one["type"], one["address"], one.get("values") or {}
    for child in module.get("child_modules", ()):
        yield from _resources(child)


def _machine(own: Mapping[str, Any], _archives: Mapping[str, str], _folder: Path) -> Template:
    properties = {"StateMachineName": own.get("name"), "StateMachineType": own.get("type")}
    if own.get("definition"):  # else it is known after the apply only
        properties["DefinitionString"] = own["definition"]
    return {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}


def _function(own: Mapping[str, Any], archives: Mapping[str, str], folder: Path) -> Template:
    environment = (own.get("environment") or [{}])[0]
    code = archives.get(own.get("filename") or "")
    properties = {
        "FunctionName": own.get("function_name"),
        "Handler": own.get("handler"),
        "Runtime": own.get("runtime"),
        "Timeout": own.get("timeout") or 3,
        "MemorySize": own.get("memory_size") or 128,
        "Environment": {"Variables": environment.get("variables") or {}},
        "PackageType": own.get("package_type") or "Zip",
        "CodeUri": str(folder / code) if code else "s3://unknown",
    }
    return {"Type": "AWS::Serverless::Function", "Properties": properties}


def _table(own: Mapping[str, Any], _archives: Mapping[str, str], _folder: Path) -> Template:
    keys = [(own.get("hash_key"), "HASH"), (own.get("range_key"), "RANGE")]
    properties = {
        "TableName": own.get("name"),
        "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in keys if name],
        "AttributeDefinitions": [
            {"AttributeName": one["name"], "AttributeType": one["type"]}
            for one in own.get("attribute") or ()
            if one["name"] in (own.get("hash_key"), own.get("range_key"))
        ],
    }
    return {"Type": "AWS::DynamoDB::Table", "Properties": properties}


def _named(kind: str, **members: str) -> Any:
    def made(own: Mapping[str, Any], _archives: Mapping[str, str], _folder: Path) -> Template:
        properties = {name: own[member] for name, member in members.items() if own.get(member)}
        return {"Type": kind, "Properties": properties}

    return made


_TERRAFORM: Mapping[str, Any] = {
    "aws_dynamodb_table": _table,
    "aws_lambda_function": _function,
    "aws_s3_bucket": _named("AWS::S3::Bucket", BucketName="bucket"),
    "aws_secretsmanager_secret": _named("AWS::SecretsManager::Secret", Name="name"),
    "aws_sfn_state_machine": _machine,
    "aws_sns_topic": _named("AWS::SNS::Topic", TopicName="name"),
    "aws_sqs_queue": _named("AWS::SQS::Queue", QueueName="name"),
    "aws_ssm_parameter": _named("AWS::SSM::Parameter", Name="name", Type="type", Value="value"),
}
