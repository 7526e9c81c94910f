"""Metrics as pure functions: arrays in, numbers out; no file, no state, no global generator."""
