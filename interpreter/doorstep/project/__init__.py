"""A user's project as it is: machines, functions and resources of a template."""

from .around import Around, at_work, to_stderr
from .finding import open_project, template_in
from .project import Omission, Project, Resource, join
from .resources import create
from .settings import Settings, settings_of

__all__ = [
    "Around",
    "Omission",
    "Project",
    "Resource",
    "Settings",
    "at_work",
    "create",
    "join",
    "open_project",
    "settings_of",
    "template_in",
    "to_stderr",
]
