"""Score sets of template protection: all comparisons of protected samples through one recogniser, in one scenario.

Built once a protector and recogniser (`build`), measured by every metric (`measure`), and filed as counts between edges
(`counts`), which a record can be held against (`recount`).
"""
