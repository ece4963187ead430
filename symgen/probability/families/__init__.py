"""The rows of the families of distributions, with their lemmas, names of parameters and distribution functions."""
