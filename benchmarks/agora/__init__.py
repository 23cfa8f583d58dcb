"""Agora: a bundled world in which the truth of every proposition is known, and models trained on it."""
