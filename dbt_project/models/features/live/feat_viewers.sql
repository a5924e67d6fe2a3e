{{ config(materialized='incremental', incremental_strategy='replace_as_of', on_schema_change='fail') }}

{{ viewer_features(as_of_dates_to_build()) }}
