"""The command line: typer commands that only translate."""
