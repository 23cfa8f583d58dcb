"""Runs: a configuration, a folder, and records that survive a crash."""
