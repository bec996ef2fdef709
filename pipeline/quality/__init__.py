"""How good the stories of a sample set are, beside held-out human text measured alike.

A small file a measure; `measuring` puts them together.
"""
