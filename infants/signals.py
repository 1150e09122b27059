"""The one signal of ICLAS: a recording is safely ours.

`infants` sends it inside the transaction that stores the row; `iclas.flow` receives it and
enqueues the stages on commit, so that `infants` need not know who judges.
"""

from django.dispatch import Signal

recording_received = Signal()
