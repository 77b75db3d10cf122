"""The voice made with numpy: from letters to sounds to samples. Pure and deterministic."""
