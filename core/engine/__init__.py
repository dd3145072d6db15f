"""Operations in, outcomes out: one queue, one transaction for all that waits, one member at a time."""
