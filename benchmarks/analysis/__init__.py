"""What runs add up to: metrics, statistics, comparisons."""
