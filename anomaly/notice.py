"""The sentence that goes with every judgement: in English for programs, translated for people."""

from django.utils.translation import gettext_lazy, gettext_noop

NOTICE = gettext_noop("Research use only; not a medical device.")
SHOWN_NOTICE = gettext_lazy(NOTICE)
