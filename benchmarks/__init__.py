"""Measuring the method: replay of grown trees."""
