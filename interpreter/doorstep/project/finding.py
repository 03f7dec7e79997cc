"""Finds the project in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..definitions.other_tools import SERVERLESS, TERRAFORM, template_text
from ..errors import InputError
from .cloudformation import read
from .project import Project

_TEMPLATES = ("template.yaml", "template.yml", "template.json")
_ASSEMBLY = "*.template.json"


def open_project(path: Path, parameters: Mapping[str, str]) -> Project:
    """Return the project of a template, a folder with one, or a `cdk.out`.

    Raises InputError when the folder has none, or several.
    """
    file = template_in(path) if path.is_dir() else path
    return read(file, parameters, template_text(file, parameters))


def template_in(folder: Path) -> Path:
    """Return the one template of a folder; raise InputError with what was looked for."""
    for name in _TEMPLATES:
        if (folder / name).is_file():
            return folder / name
    for pattern in (*SERVERLESS, TERRAFORM):
        for file in sorted(folder.glob(pattern)):
            return file
    for assembly in (folder, folder / "cdk.out"):
        templates = sorted(assembly.glob(_ASSEMBLY))
        if len(templates) > 1:
            names = ", ".join(template.name for template in templates)
            raise InputError(f"{assembly} has several templates ({names}); name one")
        if templates:
            return templates[0]
    raise InputError(
        f"{folder} has no project: looked for {', '.join(_TEMPLATES)}, {SERVERLESS[0]}, "
        f"{TERRAFORM} and cdk.out/{_ASSEMBLY}"
    )
