"""A protocol for data of your own: people chosen by a written rule, pairs drawn by a seed, a YAML file to edit."""
