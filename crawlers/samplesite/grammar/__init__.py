"""A story grammar: it simulates a small world, then narrates what happened there.

`engine.py` expands rules, `english.py` inflects, `world.py` holds people, places and what they
remember of each other, `planner.py` lets things happen, `narrator.py` tells them; all words are
data in `rules/`. Everything follows from a seed.
"""
