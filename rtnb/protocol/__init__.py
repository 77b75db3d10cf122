"""The protocol: event names, settings, both dialects, parsing and writing of events. Pure: no I/O, no numpy."""
