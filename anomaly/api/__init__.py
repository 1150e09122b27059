"""The HTTP interface to judgement: timelines, episodes, and what was decided on a recording."""
