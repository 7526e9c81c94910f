"""The stages of a run, by the kind of its protocol: which tasks there are, in which order, and what each does."""
