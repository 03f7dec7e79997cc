"""doorstep_emulator.store."""
