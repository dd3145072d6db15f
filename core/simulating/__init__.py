"""What a programme would have done over the history that there is: replayed in a scratch database, never in the ledger.

``anew`` is what channels offer so that their operations can be judged anew, ``history`` gathers what happened,
``carried`` stands for what nobody can judge anew, ``scratch`` replays, ``figures`` counts, ``comparing`` compares.
"""
