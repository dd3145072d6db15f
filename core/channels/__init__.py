"""What channels share: nouns that one gives and another keeps, and the spending and mending that belongs to none."""
