"""Scrapy middlewares that hold a crawl to what a site asks, one rule a file.

Scrapy by itself retries a 429 at once, ignores Crawl-delay, and fetches where robots.txt answers
503 (tried on 2.19). Here what cannot be read counts as a no.
"""
