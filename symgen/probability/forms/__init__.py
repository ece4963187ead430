"""Forms of log-densities: what is collected, matched, linear, quadratic, and what is known of the signs."""
