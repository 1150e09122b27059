"""Judgement as a viewer, or a stage, may read it."""
