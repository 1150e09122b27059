"""The reference client of a monitor device: hears cries, keeps them safe, and uploads them.

Light: numpy, soxr and the maths of `pipelines`; never torch, and nothing of the server. `python -m
monitor --help` tells its commands, `docs/monitor.md` what it guarantees.
"""

__version__ = "0.1.0"
