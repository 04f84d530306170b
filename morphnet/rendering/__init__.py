"""Pictures and films of bodies, without a display."""
