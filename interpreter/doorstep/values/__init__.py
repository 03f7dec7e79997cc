"""doorstep.values."""
