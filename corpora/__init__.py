"""The registry: one folder a franchise or a mix, each with a `defs.yaml`."""
