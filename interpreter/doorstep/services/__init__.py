"""AWS services behind Task states, answered by moto, an endpoint, or AWS itself."""

from .at_work import AtWork, services_at_work
from .bridge import Services
from .http_calls import HttpCalls
from .local_account import LocalAccount, Machines
from .own_machines import OwnMachines
from .target import Target, wsgi

__all__ = [
    "AtWork",
    "HttpCalls",
    "LocalAccount",
    "Machines",
    "OwnMachines",
    "Services",
    "Target",
    "services_at_work",
    "wsgi",
]
