"""Tiers: who stands where, what moves them, and what is judged when its time has come."""
