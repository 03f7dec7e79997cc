"""An account that botocore's stubber stands for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def stubbed() -> Iterator[tuple[Any, Any]]:
    """A client of Step Functions, and the stubber that answers it."""
    boto3 = pytest.importorskip("boto3", reason="doorstep[aws] is not installed")
    from botocore.stub import Stubber

    client = boto3.client(
        "stepfunctions",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    with Stubber(client) as stub:
        yield client, stub
