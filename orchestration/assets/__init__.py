"""The assets, one module per layer: raw, marts, publish."""
