"""From nothing to a shop that runs: what ``laurel init`` and ``laurel serve --sample`` share."""
