"""Distributions, expectations, divergences, posteriors: derived from densities and lemmas, never from a table of results."""
