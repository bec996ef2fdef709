"""Language models and their tokenizers, all behind the causal-LM interface of `transformers`.

Whatever a model is made of, it is loaded, trained, sampled and scored by the same code.
"""
