"""Partitions: AWS's separate parts, of which each has its regions and its ARNs (`arn:aws-cn:…`).

The regions are those of botocore's `partitions.json`, by its regular expressions. Fact 236: an
execution reaches the resources of its own partition only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

AWS = "aws"
_REGIONS = {
    "aws-cn": r"cn-\w+-\d+",
    "aws-us-gov": r"us-gov-\w+-\d+",
    "aws-iso": r"us-iso-\w+-\d+",
    "aws-iso-b": r"us-isob-\w+-\d+",
    "aws-iso-e": r"eu-isoe-\w+-\d+",
    "aws-iso-f": r"us-isof-\w+-\d+",
    "aws-eusc": r"eusc-de-\w+-\d+",
}
"""The regions of every partition but `aws`, which has all others."""
_HOMES = {
    AWS: "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
    "aws-eusc": "eusc-de-east-1",
}
"""A region of each, for runs that are in no region of the user's."""


@lru_cache(maxsize=64)
def partition_of(region: str) -> str:
    """Return the partition of a region: `aws` for one that no other has."""
    return next((name for name, regions in _REGIONS.items() if re.fullmatch(regions, region)), AWS)


def partition_named_in(arn: str) -> str | None:
    """Return the partition that an ARN names; None when it names none that there is."""
    prefix, _, rest = arn.partition(":")
    name = rest.partition(":")[0]
    return name if prefix == "arn" and name in _HOMES else None


def home_of(definition: Any) -> str:
    """Return a region for a run of the definition: of the partition that all its Resources are of.

    A run on this machine is in no region: it is where its definition could run.
    """
    named = {partition_named_in(resource) for resource in _resources(definition)} - {None}
    (partition,) = named if len(named) == 1 else (AWS,)
    return _HOMES[partition or AWS]


def _resources(value: Any) -> Iterator[str]:
    """Yield the Resources of a definition's states, readers and writers."""
    match value:
        case dict():
            resource = value.get("Resource")
            if isinstance(resource, str):
                yield resource
            for inner in value.values():
                yield from _resources(inner)
        case list():
            for inner in value:
                yield from _resources(inner)
