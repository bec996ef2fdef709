"""Stories rated blind, in pairs, by people: which pairs, the votes, and what they say together.

Judging single texts drifts with the judge's mood; of two for the same prompt people say more
steadily which is better (Thurstone 1927), and a reader who does not know the writers cannot favour
one. A vote holds names and numbers, never a text.
"""
