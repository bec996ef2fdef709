"""What came, went and changed between two builds of one thing, each with its reason.

`documents` compares two extractions, `corpus` two corpora, by Arrow joins over names and hashes;
`changes` is what they say, `excerpt` where two texts differ. Texts are read of the drawn examples
only, so memory holds some hundred bytes a document.
"""
