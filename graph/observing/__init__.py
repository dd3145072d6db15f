"""Watching Laurel at work: metrics, traces and the log. What is switched off is not there and costs nothing."""
