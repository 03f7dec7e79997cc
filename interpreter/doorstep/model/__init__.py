"""What the parts of Doorstep agree on: the grammar of definitions, definitions read, resources.

grammar, state_types  which fields there are, as tables
definition            a definition as a typed tree
partitions            the parts of AWS, their regions and ARNs
resource              a Task's Resource taken apart
integrations          the services that a Task can call, as a table
parameters            what a service's Parameters may hold
api_models            the models of AWS's APIs, when they are installed
"""

from __future__ import annotations

from .definition import (
    Clause,
    Fields,
    Scope,
    State,
    Steps,
    Transition,
    Workflow,
    escape,
    scopes_in,
    speaks_jsonata,
    states_of,
    targets_of,
    workflow,
)
from .grammar import (
    COMPARATORS,
    JSONATA,
    JSONPATH,
    MACHINE,
    MAX_SECONDS,
    NESTED_RULE,
    SELECTORS,
    Field,
    ObjectType,
    operator_of,
    several,
)
from .integrations import action_of, actions, is_recognized, similar_action
from .parameters import (
    missing_names,
    repetition_tokens,
    required_but_missing,
    unfit,
    unknown_names,
)
from .partitions import home_of, partition_named_in, partition_of
from .resource import HTTP_REQUESTS, TASK_EVENTS, Integration, function_name, integration
from .state_types import STATES, TERMINAL, WORKING
from .string_members import mistyped

__all__ = [
    "COMPARATORS",
    "HTTP_REQUESTS",
    "JSONATA",
    "JSONPATH",
    "MACHINE",
    "MAX_SECONDS",
    "NESTED_RULE",
    "SELECTORS",
    "STATES",
    "TASK_EVENTS",
    "TERMINAL",
    "WORKING",
    "Clause",
    "Field",
    "Fields",
    "Integration",
    "ObjectType",
    "Scope",
    "State",
    "Steps",
    "Transition",
    "Workflow",
    "action_of",
    "actions",
    "escape",
    "function_name",
    "home_of",
    "integration",
    "is_recognized",
    "missing_names",
    "mistyped",
    "operator_of",
    "partition_named_in",
    "partition_of",
    "repetition_tokens",
    "required_but_missing",
    "scopes_in",
    "several",
    "similar_action",
    "speaks_jsonata",
    "states_of",
    "targets_of",
    "unfit",
    "unknown_names",
    "workflow",
]
