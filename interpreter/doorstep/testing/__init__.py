"""doorstep.testing."""
