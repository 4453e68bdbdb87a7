COMMENT ON TABLE public.batch_digest IS
'The chain: one row a batch of new events, or an act that an operator has signed (`act`, a signed note).
digest: SHA-256 over the digest of the row before (32 zero bytes before the first), the position (8 bytes,
big-endian), for each listed event its id (16 bytes), its time (microseconds since 2000-01-01 UTC, 8 bytes,
big-endian) and its digest (32 bytes), the two ends of a time that was dropped without an act (as the times), and
the act (UTF-8).
Of a batch, payload_digests has the SHA-256 of each payload. Of a retention, the lists have the fills and anomalies
that stay when their events go, and payload_digests has the SHA-256 of what drop_months() makes of each row.'
