"""doorstep_emulator.publish."""
