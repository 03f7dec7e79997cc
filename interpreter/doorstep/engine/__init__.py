"""doorstep.engine."""
