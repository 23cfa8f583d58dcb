"""Reading and writing files: bytes that may be gzipped, TOML, JSON and JSON lines."""
