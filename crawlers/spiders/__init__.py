"""The spiders that `scrapy list` shows, and the general one for any MediaWiki."""
