"""The assets of a story model, a file each: model, samples, perplexity, report."""
