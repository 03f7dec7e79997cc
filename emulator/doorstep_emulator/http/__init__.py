"""doorstep_emulator.http."""
