"""Maximum likelihood, roots of scores, gradients of means."""
