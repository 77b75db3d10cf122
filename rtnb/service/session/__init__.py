"""One session of the service, without any I/O: frames in, events and orders out."""
