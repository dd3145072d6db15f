"""The commands of ``laurel``, a module each; each module's ``command`` is what ``graph.cli`` runs."""
