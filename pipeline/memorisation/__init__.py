"""What a model's stories copy from the text that it was trained on, and from which page."""
