"""All operations of the service model 2016-11-23, by their names."""

from __future__ import annotations

from . import (
    api_activities,
    api_executions,
    api_history,
    api_machines,
    api_map_runs,
    api_tags,
    api_versions,
)
from .server import Operations

OPERATIONS: Operations = {
    **api_machines.OPERATIONS,
    **api_versions.OPERATIONS,
    **api_executions.OPERATIONS,
    **api_history.OPERATIONS,
    **api_activities.OPERATIONS,
    **api_map_runs.OPERATIONS,
    **api_tags.OPERATIONS,
}
