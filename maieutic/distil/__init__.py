"""Symbolic knowledge distillation: a language model's statements, judged together, as a graph and a student.

Reference: P. West et al. "Symbolic Knowledge Distillation: from General Language Models to Commonsense
Models". NAACL 2022 (arXiv 2110.07178). There a trained critic judges each triple alone.
"""
