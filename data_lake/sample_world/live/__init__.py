"""The live world: three channels of two creators, written as the exports of two real tools."""
