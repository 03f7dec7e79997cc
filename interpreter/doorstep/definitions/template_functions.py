"""CloudFormation's functions, as far as a state machine's definition needs them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import InputError

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
    """Values of a template with `Ref` and `Fn::…` worked out; InputError for what is not there."""

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
        """A copy of a value with the functions in it worked out."""
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
            raise InputError(f"{name} can't be worked out without deploying")
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

        def replaced(found: re.Match[str]) -> str:
            literal, name = found.groups()
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
            raise InputError(f"the template refers to {name}, which it does not have; {hint}")
        return str(resource.get("Type", ""))

    def _arn(self, name: str) -> str:
        kind = self._kind(name)
        return f"arn:{PARTITION}:{_ARNS.get(kind, f'cloudformation:{REGION}:{ACCOUNT}:')}{name}"
