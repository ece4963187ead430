"""symgen: a symbolic derivation engine for the mathematics of generative models."""
