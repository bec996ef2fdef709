"""How good the stories of a sample set are, beside held-out human text measured alike."""
