"""doorstep.history."""
