"""Benchmarks, each beside a baseline in the same run. `python -m bench` runs them; bench/README.md says what each tells."""
