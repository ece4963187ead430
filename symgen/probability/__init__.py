"""Distributions, expectations, divergences, posteriors: derived from densities and lemmas, not looked up."""
