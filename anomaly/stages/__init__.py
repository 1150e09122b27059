"""The stages that `anomaly` owns: gate, score, learn, timeline, episode."""
