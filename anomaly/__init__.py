"""Judgement as rows and policy: gate decisions, scores, personal models, timeline, episodes."""
