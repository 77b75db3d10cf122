"""The local service as a process: sockets, routes, access, faults and the jobs of its engines."""
