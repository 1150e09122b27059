"""What an operator can see of ICLAS at work: ids in its log, metrics, and traces.

What comes in: the work as it is done (`work.py`), recordings as they move on and messages as they
arrive (`watching.py`). What goes out: log lines with ids (`logs.py`), numbers for Prometheus
(`measured.py`, `rows.py`, `scrape.py`), spans for OpenTelemetry (`traces.py`).
Guaranteed: nothing of it changes a row or decides anything; metrics and traces are off unless they
are asked for, and load nothing then; none of it names a person, an address or a token.
"""
