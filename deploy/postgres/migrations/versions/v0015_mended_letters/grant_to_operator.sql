-- The time is the server's, so no right to write it.
GRANT INSERT (
    mending_id, mended_by, note, stream, stream_sequence, subject, reason, event_id, came, sent
) ON public.mended_letter TO fillproof_operator
