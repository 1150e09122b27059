"""All the maths of ICLAS, pure: sound in, numbers out; no framework, no queue and no network."""
