"""A user's project as it is: machines, functions and resources of a template."""

from .finding import open_project, template_in
from .project import Omission, Project, Resource
from .resources import create

__all__ = ["Omission", "Project", "Resource", "create", "open_project", "template_in"]
