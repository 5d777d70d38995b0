"""Income of village collectives: the platform's share beside what a village declares, bands, increment, reward pool."""
