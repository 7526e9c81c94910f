"""Networks as tables of layers: each table is checked against a weights file, and built for torch and onnxruntime."""
