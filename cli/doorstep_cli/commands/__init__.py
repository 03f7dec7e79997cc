"""doorstep_cli.commands."""
