"""symgen: a symbolic derivation engine for the mathematics of generative models."""

__version__ = "0.1.0"
