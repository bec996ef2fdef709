"""The commands of `loremill`, a file each; dagster_project/cli.py puts them together."""
