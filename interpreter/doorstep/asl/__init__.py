"""doorstep.asl."""
