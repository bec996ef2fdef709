"""The mill: pages in, corpora, models and reports out.

A plain library of Arrow tables and files. It knows nothing of Scrapy or Dagster, and importing it
pulls in neither torch nor transformers: a spider that wants the schemas should not pay for them.
"""
