"""What the commands of the command line do: one module each, with a function `run` that returns an exit status."""
