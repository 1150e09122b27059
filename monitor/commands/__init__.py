"""The commands of `python -m monitor`, one a module; each has `configure` and `main`."""
