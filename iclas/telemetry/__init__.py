"""What an operator can see of ICLAS at work: ids in its log, metrics, and traces.

What comes in: work as it begins and ends (`work.py`, `requests.py`, `tasks.py`), recordings that
move on, alerts, and messages that are tried (signals of `infants` and `notify`). What goes out:
lines with ids (`logs.py`), numbers for Prometheus (`measured.py`, `rows.py`, `scrape.py`), spans
for OpenTelemetry (`otel.py`).
Guaranteed: nothing of it changes a row or decides anything; metrics and traces are off unless they
are asked for (`asked.py`), and load nothing then; none of it names a person, an address or a token.
"""
