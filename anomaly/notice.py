"""The sentence that goes with every judgement."""

NOTICE = "Research use only; not a medical device."
