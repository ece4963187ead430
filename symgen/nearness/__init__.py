"""Code of quantities of laws that keeps its digits: near equality, on narrow intervals, where closed forms cancel."""
