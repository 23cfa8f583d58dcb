"""Multiple choice: data sets, methods, runs and the weights of choosing."""
