"""doorstep.map_runs."""
