"""Step Functions on 127.0.0.1: the AWS API over HTTP, and a store that survives the process.

with doorstep_emulator.running(Options(port=0, handlers="handlers.py")) as url:
    boto3.client("stepfunctions", endpoint_url=url, …)
"""

from __future__ import annotations

from .errors import SinkError, StoreError
from .reporting import report

try:
    from .serving import Deployment, Options, running, serve
except ModuleNotFoundError as missing:
    if (missing.name or "").startswith("doorstep"):
        raise
    message = f"doorstep_emulator needs {missing.name}: pip install 'doorstep[server]'"
    raise ModuleNotFoundError(message, name=missing.name) from None

__all__ = [
    "Deployment",
    "Options",
    "SinkError",
    "StoreError",
    "report",
    "running",
    "serve",
]
