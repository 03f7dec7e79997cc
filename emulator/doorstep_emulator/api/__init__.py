"""doorstep_emulator.api."""
