"""AWS services behind Task states, answered by moto, an endpoint, or AWS itself."""

from .at_work import AtWork, services_at_work
from .http_calls import HttpCalls
from .target import Target

__all__ = ["AtWork", "HttpCalls", "Target", "services_at_work"]
