"""The engines that write, speak and transcribe for every session of a server. The seam is described in `base`."""
