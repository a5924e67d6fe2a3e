"""The lake's contract and its only reader and writer: no Dagster, no dbt, no MLflow in here."""
