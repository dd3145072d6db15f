"""Predictions: who may have left, what members are likely to order, and which points they are likely to lose.

Estimates, in floats and by published methods, that nothing is earned, spent, judged or frozen by. They leave here as
whole numbers.
"""
