"""The wiring of the rooms into Dagster assets, and the command line. Nothing else lives here."""
