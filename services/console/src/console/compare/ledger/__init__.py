"""What the ledger says of an account's orders: one port, and the ways to ask it."""

from console.compare.ledger.record import (
    Coverage,
    LedgerFill,
    LedgerOrder,
    LedgerRecord,
    Market,
    Moment,
    Reading,
)

__all__ = ["Coverage", "LedgerFill", "LedgerOrder", "LedgerRecord", "Market", "Moment", "Reading"]
