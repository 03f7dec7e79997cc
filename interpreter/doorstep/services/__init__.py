"""AWS services behind Task states, answered by moto, an endpoint, or AWS itself."""

from .bridge import Services
from .target import Target

__all__ = ["Services", "Target"]
