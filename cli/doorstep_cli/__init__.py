"""The command line of Doorstep."""
