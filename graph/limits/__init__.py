"""What one request may ask for, and how much one caller.

::

    bounds           the bounds of an installation
    checks           the limits of one request; the modules below say how each is measured
      words            of the document, before it is parsed
      shape merging    before it is validated
      prices cost      of what it asks for: lengths, sums, introspection
    rates            how much a caller may ask for in a while, counted in memory or in Redis
    actual           what an answer did cost
"""
