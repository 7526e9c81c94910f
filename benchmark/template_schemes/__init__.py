"""Cancelable transforms of templates: what template-domain protectors compute, and attacks that hold the key undo.

Every random quantity comes from the 32-byte key; a transform is derived once for each key of a batch.
"""
