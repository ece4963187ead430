"""Means, sums and integrals under a law: by lemmas, by conditioning, by quadrature, along chains."""
