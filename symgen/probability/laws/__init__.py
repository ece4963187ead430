"""What a law is: a density with its parameters, joints, combinators, densities by formula, laws of counts, images of vectors."""
