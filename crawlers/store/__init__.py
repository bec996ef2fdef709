"""Pages on disk: written through at once, sealed into Parquet, and known to the next crawl."""
