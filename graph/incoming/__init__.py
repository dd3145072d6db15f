"""What other systems tell Laurel: orders paid and refunded, by signed webhook or through a broker.

A message becomes the operation that a row of ``laurel import`` would, under the same idempotency key: whichever way an
order comes, and however often, the outcome is the same.
"""
