"""Other stacks that a template refers to: nested ones, and those whose exports it imports.

Sources: CloudFormation's template reference (`AWS::CloudFormation::Stack`, `Fn::ImportValue`,
"Outputs"), SAM's `AWS::Serverless::Application`; how `cdk synth` writes an assembly was seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError
from .cloudformation import Resolver, text_of
from .documents import load

ASSET = "aws:asset:path"
"""Where CDK and `sam build` say in a resource's Metadata which file or folder it is."""
NESTED = {"AWS::CloudFormation::Stack": "TemplateURL", "AWS::Serverless::Application": "Location"}
_MANIFEST = "manifest.json"
"""What a cloud assembly of the CDK has beside its templates."""
_TEMPLATES, _NESTED = "*.template.json", ".nested.template.json"


class LocalStacks:
    """The stacks whose templates lie beside one, or where its resources say."""

    def __init__(self, template: Path | None, above: tuple[Path, ...] = ()) -> None:
        """Read nothing yet. `above`: the templates that this one is nested in."""
        self._template = template
        self.path = (*above, template.resolve()) if template else above
        """The templates from the outermost to this one."""

    def resolver(self, template: Mapping[str, Any], parameters: Mapping[str, str]) -> Resolver:
        """Return a resolver that finds nested stacks and exports."""
        return Resolver(template, parameters, stacks=self)

    def outputs(self, resolver: Resolver, logical: str) -> Mapping[str, Any]:
        """Return the outputs of a nested stack by their names.

        Raises InputError when its template is not beside this one.
        """
        path = self.nested(resolver, logical)
        if path is None:
            raise InputError(f"the template of the nested stack {logical} is not beside this one")
        template = _read(path)
        inner = LocalStacks(path, self.path).resolver(
            template, nested_parameters(resolver, logical)
        )
        return {name: inner.value(output["Value"]) for name, output in _outputs(template)}

    def nested(self, resolver: Resolver, logical: str) -> Path | None:
        """Return the template of a nested stack; None for other resources, and far ones."""
        resource = resolver.resources[logical]
        member = NESTED.get(str(resource.get("Type")))
        if member is None or self._template is None:
            return None
        written = (resource.get("Metadata") or {}).get(ASSET)
        if written is None:
            written = resolver.value((resource.get("Properties") or {}).get(member))
        path = self._template.parent / written if isinstance(written, str) else None
        here = path is not None and path.is_file() and path.resolve() not in self.path
        return path if here else None

    def exported(self, name: str) -> Any:
        """Return what another stack of the same assembly exports; None when none does."""
        for path in siblings(self._template):
            template = _read(path)
            # Without parameters of ours: those of the template in question are its own.
            resolver = LocalStacks(path).resolver(template, {})
            for _, output in _outputs(template):
                if resolver.text((output.get("Export") or {}).get("Name", "")) == name:
                    return resolver.value(output["Value"])
        return None


def siblings(template: Path | None) -> list[Path]:
    """Return the other stacks' templates in a cloud assembly."""
    if template is None or not (template.parent / _MANIFEST).is_file():
        return []
    return [path for path in assembled(template.parent) if path.name != template.name]


def assembled(folder: Path) -> list[Path]:
    """Return the templates of the stacks in a folder; those of nested stacks belong to others."""
    return [path for path in sorted(folder.glob(_TEMPLATES)) if not path.name.endswith(_NESTED)]


def nested_parameters(resolver: Resolver, logical: str) -> dict[str, str]:
    """Return the values that a template gives to the Parameters of a nested stack."""
    written = (resolver.resources[logical].get("Properties") or {}).get("Parameters") or {}
    return {name: text_of(resolver.value(value)) for name, value in written.items()}


def _read(path: Path) -> Mapping[str, Any]:
    template = load(path).definition
    return template if isinstance(template, Mapping) else {}


def _outputs(template: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, output in (template.get("Outputs") or {}).items():
        if isinstance(output, Mapping) and "Value" in output:
            yield name, output
