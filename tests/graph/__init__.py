"""The graph over HTTP: in process, without any plugin but those a test brings along."""
