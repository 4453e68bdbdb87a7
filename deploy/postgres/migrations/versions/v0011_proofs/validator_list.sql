-- The lists of validators that were in force, as their publishers served them; they are few, and kept for ever.
CREATE TABLE public.validator_list (
    signature text PRIMARY KEY,
    manifest text NOT NULL,
    blob text NOT NULL,
    first_used_at timestamptz NOT NULL
)
