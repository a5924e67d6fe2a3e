"""Seeded simulators of audiences, one package per world: they write the exports of real tools, with known truth."""

from data_lake.sample_world.live.simulation import SampleWorld, write_sample_world

__all__ = ["SampleWorld", "write_sample_world"]
