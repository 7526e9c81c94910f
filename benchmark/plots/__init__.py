"""Figures of the board: what is drawn follows from the records alone; only the drawing needs matplotlib."""
