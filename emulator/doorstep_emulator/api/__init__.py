"""The operations of the service model 2016-11-23 by their names, a module for each subject."""

from __future__ import annotations

from ..dispatch import Api, Operations
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
API = Api(
    # What only servers ask of one another is in no client's model: no request reaches it.
    operations={**OPERATIONS, **activities.PEERS},
    timelines={
        **dict.fromkeys(
            ("StopExecution", "RedriveExecution", "PickUp", "OpenTokens"), executions.timeline
        ),
        **dict.fromkeys(("DescribeMapRun", "UpdateMapRun", "ListExecutions"), map_runs.timeline),
        **dict.fromkeys(activities.SENDS, activities.timeline),
    },
    changing={
        *("CreateStateMachine", "UpdateStateMachine", "DeleteStateMachine", "CreateActivity"),
        *("DeleteActivity", "TagResource", "UntagResource"),
        *(name for name in versions.OPERATIONS if not name.startswith(("List", "Describe"))),
    },
    apart={
        *("DescribeExecution", "GetExecutionHistory", "StopExecution", *activities.SENDS),
        *("DescribeMapRun", "UpdateMapRun", "ListMapRuns", *activities.PEERS),
    },
    claiming={"RedriveExecution"},
)
