"""The operations of the service model 2016-11-23 by their names, a module for each subject."""

from __future__ import annotations

from ..server import Operations
from . import activities, executions, history, machines, map_runs, resources, versions

OPERATIONS: Operations = {
    **machines.OPERATIONS,
    **versions.OPERATIONS,
    **executions.OPERATIONS,
    **history.OPERATIONS,
    **activities.OPERATIONS,
    **map_runs.OPERATIONS,
    **resources.OPERATIONS,
}
