-- One row: how many bytes the database may take. `python -m audit_writer.maintain` writes what is set.
CREATE TABLE public.database_limit (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    bytes bigint NOT NULL CHECK (bytes > 0)
)
