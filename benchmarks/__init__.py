"""Measuring the method: data sets, methods, runs, statistics and reports; calibration; the bundled world."""
