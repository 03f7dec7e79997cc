"""doorstep.model."""
