"""Distillation measured: corpora whose truth is known, and teachers and students on the same statements."""
