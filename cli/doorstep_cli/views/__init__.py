"""doorstep_cli.views."""
