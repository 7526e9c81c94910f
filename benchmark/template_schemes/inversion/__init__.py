"""Templates recovered from protected ones whose key is known.

What a protected template says about the recogniser's is a likelihood; what the attacker's own templates look like is a
Gaussian prior. The estimate is the most probable template given both, for every scheme alike.
"""
