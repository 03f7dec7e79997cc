"""The commands of `doorstep`, each a function named after its command."""
