"""What runs the lake: Dagster definitions and the `fullhouse` command. The only code that imports Dagster."""
