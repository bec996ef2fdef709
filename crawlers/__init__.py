"""A Scrapy project: network in, pages out. It knows nothing of Dagster or of models."""
