"""Benchmarks: `python -m bench` measures, checks every figure against the truth and writes docs/benchmarks.md and docs/recovery.md."""
