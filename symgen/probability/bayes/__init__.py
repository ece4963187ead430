"""Posteriors, marginals, evidences and their steps."""
