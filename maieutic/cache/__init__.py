"""The response cache: what models answered, kept on disk."""
