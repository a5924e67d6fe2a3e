"""Models over the published tables: churn, forecasts, next streams, topics. No Dagster here.

Each package has the same files: `dataset` (what is read, and how it is split), `fit`, `train` (fit, evaluate against
baselines, log, gate, promote, in this order) and `score` (the rows of predictions/, and how past ones turned out).
"""
