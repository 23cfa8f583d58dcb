"""Answers for people: one output format per file."""
