"""`python -m benchmark.cli` is `veilbench`."""

from benchmark.cli import main

main()
