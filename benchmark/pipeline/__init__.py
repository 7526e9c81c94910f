"""The stages of one job on one batch of samples: originals -> protection -> attack -> templates.

Every stage is filed in the store under a digest of all that it depends on (code, parameters, inputs, keys), so a stage
is computed once, whoever asks: settings share encoded originals, jobs share templates, a second run reuses everything.
Identities never enter a stage; submissions run in processes of their own that get arrays and a generator.
"""
