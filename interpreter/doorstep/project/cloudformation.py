"""A project from a SAM or CloudFormation template, a CDK cloud assembly, another tool's file."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..definitions import load
from ..definitions.cloudformation import text_of
from ..definitions.other_tools import SERVERLESS, TERRAFORM, template_text
from ..definitions.stacks import (
    ASSET,
    NESTED,
    LocalStacks,
    assembled,
    nested_parameters,
    siblings,
)
from ..definitions.templates import is_template, load_machine, machine_names
from ..errors import DefinitionError, InputError
from ..functions import Function, why_not_run
from .project import Omission, Project, Resource

_FUNCTIONS = ("AWS::Serverless::Function", "AWS::Lambda::Function")
_LAYERS = ("AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion")
_TEMPLATES = ("template.yaml", "template.yml", "template.json")
_ASSEMBLY = "*.template.json"


def open_project(path: Path, parameters: Mapping[str, str]) -> Project:
    """Return the project of a template, a folder with one, or a `cdk.out`.

    Raises InputError when the folder has none, or several.
    """
    file = template_in(path) if path.is_dir() else path
    project = read(file, parameters, template_text(file, parameters))
    for other in siblings(file):
        project.add(read(other, {}))
    return project


def template_in(folder: Path) -> Path:
    """Return the one template of a folder; raise InputError with what was looked for."""
    for name in _TEMPLATES:
        if (folder / name).is_file():
            return folder / name
    for pattern in (*SERVERLESS, TERRAFORM):
        for file in sorted(folder.glob(pattern)):
            return file
    for assembly in (folder, folder / "cdk.out"):
        templates = assembled(assembly)
        # Of several stacks that with the state machines; the others belong to it.
        found = [one for one in templates if _has_machines(one)] or templates
        if len(found) > 1:
            names = ", ".join(template.name for template in found)
            raise InputError(f"{assembly} has several templates ({names}); name one")
        if found:
            return found[0]
    raise InputError(
        f"{folder} has no project: looked for {', '.join(_TEMPLATES)}, {SERVERLESS[0]}, "
        f"{TERRAFORM} and cdk.out/{_ASSEMBLY}"
    )


def _has_machines(file: Path) -> bool:
    template = load(file).definition
    return is_template(template) and bool(machine_names(template, {}))


def read(
    path: Path,
    parameters: Mapping[str, str],
    text: str | None = None,
    above: tuple[Path, ...] = (),
) -> Project:
    """Return the project of a template; `text`: what stands for a file of another tool.

    `above`: the templates that it is nested in.

    What can't be taken over is listed in `omissions`. Raises InputError when this is no template,
    or Parameters of it have no value.
    """
    source = path if text is None else text
    whole = load(source)
    if not is_template(whole.definition):
        raise InputError(f"{path} is no template: it has no Resources")
    return _Reader(path, source, whole.definition, parameters, above).project


class _Reader:
    """Takes a template apart."""

    def __init__(
        self,
        path: Path,
        source: Path | str,
        template: Mapping[str, Any],
        parameters: Mapping[str, str],
        above: tuple[Path, ...],
    ) -> None:
        self._folder = path.resolve().parent
        self._template = template
        self._stacks = LocalStacks(path, above)
        self._resolver = self._stacks.resolver(template, parameters)
        self.project = Project(path)
        for name in machine_names(template, parameters):
            self._machine(source, name, parameters)
        for logical, resource in self._resolver.resources.items():
            if isinstance(resource, Mapping) and self._resolver.created(logical):
                for take in (self._nested, self._resource, self._events):
                    self._take(take, logical, resource)

    def _take(
        self, take: Callable[[str, Mapping[str, Any]], None], logical: str, resource: Any
    ) -> None:
        """Take something over; what can't be is listed."""
        try:
            take(logical, resource)
        except (InputError, DefinitionError) as problem:
            self.project.omissions.append(Omission(logical, str(problem)))
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            # Nothing has checked a template's resources: any member may be of another type.
            reason = f"it is not written as its type asks for ({problem})"
            self.project.omissions.append(Omission(logical, reason))

    def _machine(self, source: Path | str, name: str, parameters: Mapping[str, str]) -> None:
        try:
            machine = load_machine(source, name, parameters=parameters)
        except (InputError, DefinitionError) as problem:
            self.project.omissions.append(Omission(name, str(problem)))
        else:
            self.project.machines[machine.name] = machine

    def _resource(self, logical: str, resource: Mapping[str, Any]) -> None:
        kind = str(resource.get("Type"))
        if kind not in _FUNCTIONS:
            self._other(kind, logical, resource)
            return
        function = self._function(logical, resource)
        self.project.functions[function.name] = function
        if problem := why_not_run(function):
            self.project.omissions.append(Omission(logical, problem))

    def _nested(self, logical: str, resource: Mapping[str, Any]) -> None:
        """Take over what a nested stack has."""
        if str(resource.get("Type")) not in NESTED:
            return
        path = self._stacks.nested(self._resolver, logical)
        if path is None:
            reason = "its template is not beside this one; run that by its own path"
            self.project.omissions.append(Omission(logical, reason))
        else:
            inner = nested_parameters(self._resolver, logical)
            self.project.add(read(path, inner, above=self._stacks.path))

    def _other(self, kind: str, logical: str, resource: Mapping[str, Any]) -> None:
        properties = self._resolver.value(resource.get("Properties") or {})
        name, arn = self._resolver.name(logical), self._resolver.arn(logical)
        self.project.resources.append(Resource(kind, name, arn, properties))

    def _events(self, logical: str, resource: Mapping[str, Any]) -> None:
        """Take over what SAM makes of a resource's Events; list the events that do nothing here."""
        if not str(resource.get("Type")).startswith("AWS::Serverless::"):
            return
        events = (resource.get("Properties") or {}).get("Events")
        for name, event in events.items() if isinstance(events, Mapping) else ():
            kind = event.get("Type") if isinstance(event, Mapping) else None
            made = _EVENTS.get(str(kind))
            if made is None:
                reason = f"its event {name} ({kind}) does not start it here"
                self.project.omissions.append(Omission(logical, reason))
                continue
            own = self._resolver.value(event.get("Properties") or {})
            target = {"Id": name, "Arn": self._resolver.arn(logical)}
            target |= {key: own[key] for key in ("Input", "InputPath") if key in own}
            of_type, properties = made(own, target)
            called = str(own.get("Name", f"{logical}{name}"))
            self.project.resources.append(
                Resource(of_type, called, f"{_ARNS[of_type]}{called}", properties)
            )

    # Functions ------------------------------------------------------------------------------------

    def _function(self, logical: str, resource: Mapping[str, Any]) -> Function:
        own = resource.get("Properties") or {}
        properties = self._resolver.value(_with_globals(self._globals(resource), own))
        variables = properties.get("Environment", {}).get("Variables", {})
        return Function(
            name=self._resolver.name(logical),
            runtime=str(properties.get("Runtime", "")),
            handler=str(properties.get("Handler", "")),
            code=self._code(logical, resource, properties),
            environment={name: text_of(value) for name, value in variables.items()},
            timeout=float(properties.get("Timeout", 3)),
            memory=int(properties.get("MemorySize", 128)),
            layers=tuple(self._layers(own.get("Layers") or self._globals(resource).get("Layers"))),
        )

    def _globals(self, resource: Mapping[str, Any]) -> Mapping[str, Any]:
        if resource.get("Type") != _FUNCTIONS[0]:
            return {}
        shared = self._template.get("Globals")
        functions = shared.get("Function") if isinstance(shared, Mapping) else None
        return functions if isinstance(functions, Mapping) else {}

    def _code(
        self, logical: str, resource: Mapping[str, Any], properties: Mapping[str, Any]
    ) -> Path:
        asset = (resource.get("Metadata") or {}).get(ASSET)
        if isinstance(asset, str):
            return _unpacked(self._folder / asset)
        code = properties.get("CodeUri") or properties.get("Code")
        inline = properties.get("InlineCode")
        if isinstance(code, Mapping):
            inline = inline or code.get("ZipFile")
        if isinstance(inline, str):
            return _written(logical, inline, str(properties.get("Runtime")))
        if properties.get("PackageType") == "Image" or "ImageUri" in properties:
            raise InputError(
                "its code is a container image, which is not run here; "
                f"give it a handler (@doorstep.handler({self._resolver.name(logical)!r})) or a mock"
            )
        if isinstance(code, str) and not code.startswith("s3:"):
            return _unpacked(self._folder / code)
        if code is None and resource.get("Type") == _FUNCTIONS[0]:
            return self._folder  # SAM's default of CodeUri
        raise InputError("its code is not beside the template; give it a handler or a mock")

    def _layers(self, written: Any) -> Iterator[Path]:
        """Yield the folders of the layers that stand in the same template."""
        for layer in written if isinstance(written, list) else ():
            logical = layer.get("Ref") if isinstance(layer, Mapping) else None
            resource = self._resolver.resources.get(logical) if logical else None
            if isinstance(resource, Mapping) and resource.get("Type") in _LAYERS:
                folder = (resource.get("Metadata") or {}).get(ASSET)
                folder = folder or (resource.get("Properties") or {}).get("ContentUri")
                if isinstance(folder, str):
                    yield self._folder / folder


# What SAM makes of events -------------------------------------------------------------------------

Properties = Mapping[str, Any]


def _rule(own: Properties, target: Properties) -> tuple[str, Properties]:
    named = {name: own[name] for name in ("EventBusName",) if name in own}
    pattern = {"EventPattern": own.get("Pattern", {})}
    return "AWS::Events::Rule", {**pattern, "Targets": [target], **named}


def _scheduled_rule(own: Properties, target: Properties) -> tuple[str, Properties]:
    enabled = own.get("State") or ("DISABLED" if own.get("Enabled") is False else "ENABLED")
    expression = {"ScheduleExpression": own.get("Schedule"), "State": enabled}
    return "AWS::Events::Rule", {**expression, "Targets": [target]}


def _schedule(own: Properties, target: Properties) -> tuple[str, Properties]:
    aimed = {name: value for name, value in target.items() if name in ("Arn", "Input")}
    return "AWS::Scheduler::Schedule", {**own, "Target": aimed}


_EVENTS = {
    "CloudWatchEvent": _rule,
    "EventBridgeRule": _rule,
    "Schedule": _scheduled_rule,
    "ScheduleV2": _schedule,
}
"""By an event's Type; sources: the pages of SAM's event types."""
_ARNS = {
    "AWS::Events::Rule": "arn:aws:events:us-east-1:123456789012:rule/",
    "AWS::Scheduler::Schedule": "arn:aws:scheduler:us-east-1:123456789012:schedule/default/",
}


def _with_globals(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return a function's properties with SAM's Globals: objects are merged, its own win."""
    merged = dict(shared)
    for name, value in own.items():
        before = merged.get(name)
        both = isinstance(value, Mapping) and isinstance(before, Mapping)
        merged[name] = _with_globals(before, value) if both else value  # type: ignore[arg-type]
    return merged


def _unpacked(path: Path) -> Path:
    """Return a folder as it is, and that of a ZIP file's content, which is removed at the end."""
    if not zipfile.is_zipfile(path):
        return path
    folder = _temporary(path.stem)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return folder


def _temporary(name: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"doorstep-{name}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _written(logical: str, text: str, runtime: str) -> Path:
    """Write code that stands in the template to a folder; `index` is the module, as on Lambda."""
    folder = _temporary(logical)
    ending = "js" if runtime.startswith("nodejs") else "py"
    (folder / f"index.{ending}").write_text(text, "utf-8")
    return folder
