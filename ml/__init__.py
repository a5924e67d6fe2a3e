"""Models over the published tables: churn, forecasts, topics. No Dagster here.

Each package has the same files: `dataset` (what is read, and how it is split), `fit`, `evaluate` (against baselines, and
the gate), `train` (fit, evaluate, log, gate, promote, in this order), `score` (the rows of predictions/).
"""
