"""Divergences, entropies, information, transport, bounds: each from the two log-densities."""
