"""CloudFormation's functions and references, worked out as far as a template says enough.

What only a deployment would know gets a plausible value: account 123456789012, Region us-east-1,
a resource without a name of its own is called as its logical id. Sources: CloudFormation's user
guide, "Intrinsic function reference", "Pseudo parameters reference", and the return values of each
resource type's page.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol

from ..errors import InputError
from ..values.did_you_mean import did_you_mean
from .resource_types import KINDS, UNKNOWN, Kind

ACCOUNT, REGION = "123456789012", "us-east-1"
SUBSTITUTED = re.compile(r"\$\{(!?)([^${}]+)\}")
_FOR_EACH = "Fn::ForEach::"
_OUTPUTS = "Outputs."


class _NoValue:
    """What `AWS::NoValue` stands for: the member or item is not there."""


_NO_VALUE = _NoValue()


def text_of(value: Any) -> str:
    """Return a value as CloudFormation puts it into a text: `true`, not Python's `True`."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return ""
        case str():
            return value
        case dict() | list():
            return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return str(value)


class Stacks(Protocol):
    """The other stacks that a template refers to."""

    def outputs(self, resolver: Resolver, logical: str) -> Mapping[str, Any]:
        """Return the outputs of a nested stack by their names."""

    def exported(self, name: str) -> Any:
        """Return what another stack exports; None when none does."""


class Resolver:
    """Values of a template with `Ref`, `Fn::…` and conditions worked out.

    `missing` collects the Parameters without a value that were asked for; they stand in the result
    as `${Name}`, so that all of them can be reported at once.
    """

    def __init__(
        self,
        template: Mapping[str, Any],
        parameters: Mapping[str, str],
        *,
        region: str = REGION,
        account: str = ACCOUNT,
        partition: str = "aws",
        stacks: Stacks | None = None,
    ) -> None:
        """Read the template's Parameters; values given by the user come before their defaults."""
        self._stacks = stacks
        self._template = template
        self._given = dict(parameters)
        self._region, self._account, self._partition = region, account, partition
        self._pseudo: Mapping[str, Any] = {
            "AWS::AccountId": account,
            "AWS::NoValue": _NO_VALUE,
            "AWS::NotificationARNs": [],
            "AWS::Partition": partition,
            "AWS::Region": region,
            "AWS::StackId": self._filled(f"arn:P:cloudformation:R:A:stack/stack/{UNKNOWN}", ""),
            "AWS::StackName": "stack",
            "AWS::URLSuffix": "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com",
        }
        self._loops: dict[str, Any] = {}
        self.missing: dict[str, None] = {}
        self.resources: Mapping[str, Any] = self._unrolled(_member(template, "Resources"))
        self._functions: Mapping[str, Callable[[Any], Any]] = {
            "Condition": self.condition,
            "Fn::And": lambda parts: all(self.truth(part) for part in parts),
            "Fn::Cidr": lambda parts: _cidr(*(self.text(part) for part in parts)),
            "Fn::Base64": lambda text: base64.b64encode(self.text(text).encode()).decode(),
            "Fn::Equals": lambda pair: self.text(pair[0]) == self.text(pair[1]),
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAZs": lambda region: [
                (self.text(region) or self._region) + zone for zone in "abc"
            ],
            "Fn::GetAtt": self._get_att,
            "Fn::If": lambda parts: self.value(parts[1 if self.condition(parts[0]) else 2]),
            "Fn::ImportValue": self._import_value,
            "Fn::Join": lambda pair: self.text(pair[0]).join(map(text_of, self.value(pair[1]))),
            "Fn::Length": lambda items: len(self.value(items)),
            "Fn::Not": lambda parts: not self.truth(parts[0]),
            "Fn::Or": lambda parts: any(self.truth(part) for part in parts),
            "Fn::Select": lambda pair: self.value(pair[1])[int(self.value(pair[0]))],
            "Fn::Split": lambda pair: self.text(pair[1]).split(self.text(pair[0])),
            "Fn::Sub": self._sub,
            "Fn::ToJsonString": lambda value: text_of(self.value(value)),
            "Ref": self._ref,
        }

    def value(self, value: Any) -> Any:
        """Return a copy of a value with its functions worked out.

        Raises InputError for what the template does not have, or only a deployment knows.
        """
        match value:
            case dict():
                if len(value) == 1:
                    ((name, argument),) = value.items()
                    if name in self._functions or name.startswith("Fn::"):
                        return self._call(name, argument)
                members = {key: self.value(one) for key, one in self._unrolled(value).items()}
                return {key: one for key, one in members.items() if one is not _NO_VALUE}
            case list():
                return [one for one in map(self.value, value) if one is not _NO_VALUE]
        return value

    def text(self, value: Any) -> str:
        """Return a value as text, its functions worked out."""
        return text_of(self.value(value))

    def truth(self, value: Any) -> bool:
        """Return what a condition comes to: a function, a boolean, or the text of one."""
        return self.text(value) == "true"

    def condition(self, name: Any) -> bool:
        """Return one of the template's Conditions by its name."""
        conditions = _member(self._template, "Conditions")
        if name not in conditions:
            hint = did_you_mean(str(name), conditions)
            raise InputError(
                f"the template has no condition {name}" + (f"; {hint}" if hint else "")
            )
        return self.truth(conditions[name])

    def created(self, logical: str) -> bool:
        """Return whether a resource is made: its Condition, if it has one, holds."""
        condition = self._resource(logical).get("Condition")
        return condition is None or self.condition(condition)

    def name(self, logical: str) -> str:
        """Return what a resource is called: by its own property, else by its logical id."""
        own, kind = _member(self._resource(logical), "Properties"), self.kind(logical)
        written = own.get(kind.name) if kind.name else None
        if written is not None:
            return self.text(written)
        if str(self._resource(logical).get("Type")) == "AWS::S3::Bucket":
            return logical.lower()  # as CloudFormation does: a bucket has no capitals
        fifo = any(self.truth(own.get(name, False)) for name in ("FifoQueue", "FifoTopic"))
        return f"{logical}.fifo" if fifo else logical

    def arn(self, logical: str) -> str:
        """Return a resource's ARN."""
        resource = self._resource(logical)
        special = _SPECIAL.get(str(resource.get("Type")))
        if special:
            return special(self, logical, _member(resource, "Properties"))
        arn = self.kind(logical).arn or f"{_service(str(resource.get('Type')))}:R:A:{{}}"
        return self._filled(f"arn:P:{arn}", self.name(logical))

    def kind(self, logical: str) -> Kind:
        """Return what references to a resource give."""
        return KINDS.get(str(self._resource(logical).get("Type")), Kind("Name"))

    # The functions --------------------------------------------------------------------------------

    def _call(self, name: str, argument: Any) -> Any:
        if name not in self._functions:
            raise InputError(f"{name} cannot be resolved without deploying")
        try:
            return self._functions[name](argument)
        except (TypeError, ValueError, IndexError, KeyError, AttributeError):
            raise InputError(f"{name}: these arguments do not fit: {argument!r:.80}") from None

    def _ref(self, name: Any) -> Any:
        for values in (self._loops, self._given, self._pseudo):
            if name in values:
                return self._declared(name, values[name])
        declared = _member(self._template, "Parameters")
        if name in declared:
            if isinstance(declared[name], Mapping) and "Default" in declared[name]:
                return self._declared(name, declared[name]["Default"])
            self.missing[name] = None
            return f"${{{name}}}"
        return self._shown(name, "ref")

    def _declared(self, name: str, value: Any) -> Any:
        """Return a Parameter's value by its type: a list is written with commas."""
        declaration = _member(self._template, "Parameters").get(name)
        kind = str(declaration.get("Type", "")) if isinstance(declaration, Mapping) else ""
        if isinstance(value, str) and (kind == "CommaDelimitedList" or "List<" in kind):
            return [part.strip() for part in value.split(",")]
        return value if kind == "" or isinstance(value, list) else text_of(value)

    def _get_att(self, argument: Any) -> str:
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        logical, attribute = self.text(parts[0]), ".".join(self.text(part) for part in parts[1:])
        key = f"{logical}.{attribute}"
        if key in self._given:
            return self._given[key]
        if self._stacks and attribute.startswith(_OUTPUTS):
            outputs = self._stacks.outputs(self, logical)
            return str(outputs.get(attribute.removeprefix(_OUTPUTS), attribute))
        return str(self._shown(logical, attribute))

    def _shown(self, logical: Any, attribute: str) -> Any:
        """Return what Ref (`ref`) or GetAtt gives for a resource."""
        logical, special = _generated(logical, self.resources)
        if special:
            return self._filled(special, self.name(logical))
        kind = self.kind(logical)
        if attribute == "ref" and str(self._resource(logical).get("Type")) in _SPECIAL:
            return self.arn(logical)
        what = kind.ref if attribute == "ref" else kind.attributes.get(attribute)
        if what is None:
            if attribute.endswith("Arn"):
                return self.arn(logical)
            return f"{logical}.{attribute}"
        if what == "arn":
            return self.arn(logical)
        return self.name(logical) if what == "name" else self._filled(what, self.name(logical))

    def _filled(self, text: str, name: str) -> str:
        """Return a text with name, partition, Region and account put in."""
        marks = {":P:": f":{self._partition}:", "R": self._region, "A": self._account}
        pieces = re.split(r"(:P:|(?<![A-Za-z])[RA](?![A-Za-z]))", text)
        return "".join(marks.get(piece, piece) for piece in pieces).replace("{}", name)

    def _sub(self, argument: Any) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else argument
        values = {name: self.text(value) for name, value in own.items()}

        def replaced(match: re.Match[str]) -> str:
            literal, name = match.groups()
            name = name.strip()
            if literal:
                return f"${{{name}}}"
            if name in values:
                return values[name]
            return text_of(self._get_att(name) if "." in name else self._ref(name))

        return SUBSTITUTED.sub(replaced, text)

    def _find_in_map(self, argument: Sequence[Any]) -> Any:
        mapping, first, second = (self.text(part) for part in argument[:3])
        found = _member(_member(_member(self._template, "Mappings"), mapping), first)
        if second in found:
            return self.value(found[second])
        if len(argument) > 3:
            return self.value(argument[3]["DefaultValue"])
        raise InputError(f"the template's Mappings have no {mapping} > {first} > {second}")

    def _import_value(self, argument: Any) -> str:
        name = self.text(argument)
        value = self._given.get(name)
        if value is None and self._stacks:
            value = self._stacks.exported(name)
        if value is None:
            raise InputError(
                f"{name} is exported by another stack; give it a value: --param {name}=…"
            )
        return text_of(value)

    def _unrolled(self, members: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return members with each `Fn::ForEach` replaced by what it makes."""
        if not any(name.startswith(_FOR_EACH) for name in members):
            return members
        made: dict[str, Any] = {}
        for name, member in members.items():
            if not name.startswith(_FOR_EACH):
                made[name] = member
                continue
            identifier, collection, body = member
            for item in self.value(collection):
                self._loops = {**self._loops, identifier: item, f"&{identifier}": item}
                made |= _put_in(self._unrolled(body), identifier, text_of(item))
        return made

    def _resource(self, logical: Any) -> Mapping[str, Any]:
        resource = self.resources.get(logical) if isinstance(logical, str) else None
        if not isinstance(resource, Mapping):
            hint = did_you_mean(str(logical), self.resources)
            raise InputError(
                f"the template references {logical}, which is not defined; "
                f"{f'{hint} or ' if hint else ''}give it a value: --param {logical}=…"
            )
        return resource


def _member(value: Any, name: str) -> Mapping[str, Any]:
    """Return a member that is an object; of anything else an empty one."""
    inner = value.get(name) if isinstance(value, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def _put_in(value: Any, identifier: str, item: str) -> Any:
    """Return a loop's body for one item: `${Identifier}`, `&{Identifier}` and Ref replaced."""
    match value:
        case str():
            plain = re.sub(r"[^A-Za-z0-9]", "", item)
            text = value.replace(f"${{{identifier}}}", item)
            return text.replace(f"&{{{identifier}}}", plain)
        case {"Ref": name} if name == identifier and len(value) == 1:
            return item
        case dict():
            return {
                _put_in(key, identifier, item): _put_in(one, identifier, item)
                for key, one in value.items()
            }
        case list():
            return [_put_in(one, identifier, item) for one in value]
    return value


def _cidr(block: str, count: str, bits: str) -> list[str]:
    """Return blocks inside of one; `bits` of an address are their own (the guide's "Fn::Cidr")."""
    network = ipaddress.ip_network(block)
    blocks = network.subnets(new_prefix=network.max_prefixlen - int(bits))
    return [str(one) for one in islice(blocks, int(count))]


def _service(kind: str) -> str:
    """Return the service in the ARN of a type that the table does not have."""
    parts = kind.split("::")
    return parts[1].lower() if len(parts) > 2 else "cloudformation"


def _generated(logical: Any, resources: Mapping[str, Any]) -> tuple[Any, str]:
    """Return a resource that SAM makes of another: which, and its reference.

    Source: AWS SAM's developer guide, "Generated AWS CloudFormation resources".
    """
    if not isinstance(logical, str) or logical in resources:
        return logical, ""
    for ending, shown in _OF_SAM.items():
        own = logical.removesuffix(ending)
        if own != logical and own in resources:
            return own, shown
    own, alias, name = logical.partition("Alias")
    if alias and own in resources:
        return own, f"arn:P:lambda:R:A:function:{{}}:{name}"
    return logical, ""


_OF_SAM = {
    ".Alias": "arn:P:lambda:R:A:function:{}:live",
    ".Version": "arn:P:lambda:R:A:function:{}:1",
    "Role": "{}Role",
}


def _lambda_of(resolver: Resolver, properties: Mapping[str, Any]) -> str:
    """Return the unqualified ARN of the function that an alias or a version belongs to."""
    written = resolver.text(properties.get("FunctionName", ""))
    if written.startswith("arn:"):
        return ":".join(written.split(":")[:7])
    return resolver._filled("arn:P:lambda:R:A:function:{}", written)


def _machine_of(resolver: Resolver, written: str) -> str:
    return ":".join(written.split(":")[:7])


_SPECIAL: Mapping[str, Callable[[Resolver, str, Mapping[str, Any]], str]] = {
    "AWS::Lambda::Alias": lambda resolver, _, own: (
        f"{_lambda_of(resolver, own)}:{resolver.text(own.get('Name', 'live'))}"
    ),
    "AWS::Lambda::Version": lambda resolver, _, own: f"{_lambda_of(resolver, own)}:1",
    "AWS::StepFunctions::StateMachineAlias": lambda resolver, logical, own: (
        f"{_first_version(resolver, own)}:{resolver.text(own.get('Name', logical))}"
    ),
    "AWS::StepFunctions::StateMachineVersion": lambda resolver, _, own: (
        f"{_machine_of(resolver, resolver.text(own.get('StateMachineArn', '')))}:1"
    ),
}
"""Types whose ARN goes on from another resource's."""


def _first_version(resolver: Resolver, properties: Mapping[str, Any]) -> str:
    routes = resolver.value(properties.get("RoutingConfiguration") or [{}])
    version = text_of(routes[0].get("StateMachineVersionArn", ""))
    return _machine_of(resolver, version)
