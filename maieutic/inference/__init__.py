"""Inference: belief graph → labels, an answer and how sure it is."""
