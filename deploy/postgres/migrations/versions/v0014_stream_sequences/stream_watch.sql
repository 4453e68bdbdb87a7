-- What is known of a stream, one row for each of its identities.
CREATE TABLE public.stream_watch (
    stream text NOT NULL,
    identity timestamptz NOT NULL,
    known int8multirange NOT NULL, -- stored or set apart, or from before anybody watched
    acknowledged bigint NOT NULL, -- up to here the audit writer's consumer is done
    seen bigint NOT NULL, -- the highest sequence that the stream was seen to have
    lost int8multirange NOT NULL DEFAULT '{}', -- not known when the stream was cut off there; the numbers come again
    ledger bigint, -- of the newest event before the first that is missing
    PRIMARY KEY (stream, identity)
)
