"""Models over the published tables. Each question is a package of ml/questions; what all of them share lies here.

`training.train` and `scoring.score` are the two sequences, written once; a question fills in its parts. No Dagster.
"""
