"""The schema over the core: it composes what the plugins offer and serves it as GraphQL over HTTP."""
