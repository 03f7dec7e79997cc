"""A user's project as it is: machines, functions and resources of a template."""

from .around import Around, at_work, to_stderr
from .cloudformation import open_project, template_in
from .project import Omission, Project, Resource, join
from .resources import create

__all__ = [
    "Around",
    "Omission",
    "Project",
    "Resource",
    "at_work",
    "create",
    "join",
    "open_project",
    "template_in",
    "to_stderr",
]
