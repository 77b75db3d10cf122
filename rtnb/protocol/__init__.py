"""The words on the wire, in both dialects. Pure: no I/O, no numpy."""
