"""File formats: plain or gzipped data, TOML, JSON and JSON lines."""
