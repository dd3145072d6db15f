"""A programme in words: what its rules say to those who are members, in English and in Chinese.

``language`` writes numbers, money, days and lists as a language does, ``words`` is what sections of the document say
their sentences with, ``expressions`` and ``rules`` turn rex/1 and rule sets into clauses, ``summary`` is the whole.
"""
