"""Formats: the transaction types, ledger entry types and fields that the kernel knows.

A later version of the ledger may bring others. Nothing is concluded from what is not listed here: the orders
and balances that an unknown type, entry or field touches are unresolved, by name.

Sources: the node's `transactions.macro`, `ledger_entries.macro` and `LedgerFormats`, of 2026.
"""

import msgspec


def _names(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


MOVES_NOTHING = _names(
    """
    AccountSet AMMVote Batch CheckCancel CheckCreate CredentialAccept CredentialCreate CredentialDelete
    DelegateSet DepositPreauth DIDDelete DIDSet LedgerStateFix LoanBrokerSet MPTokenAuthorize
    MPTokenIssuanceCreate MPTokenIssuanceDestroy MPTokenIssuanceSet NFTokenBurn NFTokenCancelOffer
    NFTokenCreateOffer NFTokenMint NFTokenModify OfferCancel OracleDelete OracleSet
    PermissionedDomainDelete PermissionedDomainSet SetRegularKey SignerListSet SponsorshipTransfer
    TicketCreate TrustSet VaultSet XChainCreateBridge XChainCreateClaimID
    XChainModifyBridge EnableAmendment SetFee UNLModify
    """
)
"""Transaction types that change no balance but by their fee."""
MOVES_BY_ITSELF = _names(
    """
    AMMBid AMMClawback AMMCreate AMMDelete AMMDeposit AMMWithdraw AccountDelete CheckCash Clawback
    ConfidentialMPTClawback ConfidentialMPTConvert ConfidentialMPTConvertBack ConfidentialMPTMergeInbox
    ConfidentialMPTSend EscrowCancel EscrowCreate EscrowFinish LoanBrokerCoverClawback
    LoanBrokerCoverDeposit LoanBrokerCoverWithdraw LoanBrokerDelete LoanDelete LoanManage LoanPay
    LoanSet NFTokenAcceptOffer PaymentChannelClaim PaymentChannelCreate PaymentChannelFund
    SponsorshipSet VaultClawback VaultCreate VaultDelete VaultDeposit VaultWithdraw
    XChainAccountCreateCommit XChainAddAccountCreateAttestation XChainAddClaimAttestation XChainClaim
    XChainCommit
    """
)
"""Transaction types whose own purpose moves balances: escrows, checks, pools, vaults, loans and so on."""
TRADES = frozenset({"OfferCreate", "Payment"})
"""Transaction types that consume offers."""
REMOVES_OFFERS = TRADES | {"AccountDelete", "OfferCancel"}
"""Transaction types that remove offers."""
TRANSACTIONS = MOVES_NOTHING | MOVES_BY_ITSELF | TRADES

ENTRIES = _names(
    """
    AccountRoot AMM Amendments Bridge Check Credential Delegate DepositPreauth DID DirectoryNode Escrow
    FeeSettings LedgerHashes Loan LoanBroker MPToken MPTokenIssuance NegativeUNL NFTokenOffer
    NFTokenPage Offer Oracle PayChannel PermissionedDomain RippleState SignerList Sponsorship Ticket
    Vault XChainOwnedClaimID XChainOwnedCreateAccountClaimID
    """
)
"""Ledger entry types."""

_COMMON = _names("LedgerEntryType LedgerIndex index PreviousTxnID PreviousTxnLgrSeq Flags")
ENTRY_FIELDS = {
    "AccountRoot": _COMMON
    | _names(
        """
        Account AccountTxnID AMMID Balance BurnedNFTokens Domain EmailHash FirstNFTokenSequence
        LoanBrokerID MessageKey MintedNFTokens NFTokenMinter OwnerCount RegularKey Sequence Sponsor
        SponsoredOwnerCount SponsoringAccountCount SponsoringOwnerCount TicketCount TickSize
        TransferRate VaultID WalletLocator WalletSize
        """
    ),
    "RippleState": _COMMON
    | _names(
        """
        Balance HighLimit HighNode HighQualityIn HighQualityOut HighSponsor LowLimit LowNode
        LowQualityIn LowQualityOut LowSponsor
        """
    ),
    "Offer": _COMMON
    | _names(
        """
        Account AdditionalBooks BookDirectory BookNode DomainID Expiration OwnerNode Sequence Sponsor
        TakerGets TakerPays
        """
    ),
    "MPToken": _COMMON
    | _names(
        """
        Account AuditorEncryptedBalance ConfidentialBalanceInbox ConfidentialBalanceSpending
        ConfidentialBalanceVersion HolderElGamalPublicKey HolderEncryptionKey IssuerEncryptedBalance
        LockedAmount MPTAmount MPTokenIssuanceID OwnerNode Sponsor
        """
    ),
    "MPTokenIssuance": _COMMON
    | _names(
        """
        AssetScale AuditorElGamalPublicKey AuditorEncryptionKey ConfidentialOutstandingAmount DomainID
        Issuer IssuerElGamalPublicKey IssuerEncryptionKey LockedAmount MaximumAmount MPTokenMetadata
        MutableFlags OutstandingAmount OwnerNode Sequence Sponsor TransferFee
        """
    ),
}
"""Fields by entry type, of the entries that decide about offers and funds."""
_ORDER_FIELDS = _names(
    """
    Account AccountTxnID BatchSigners Delegate DomainID Expiration Fee Flags LastLedgerSequence Memos
    NetworkID OfferSequence OperationLimit Sequence Signers SigningPubKey SourceTag Sponsor SponsorFlags
    SponsorSignature TakerGets TakerPays TicketSequence TransactionType TxnSignature
    """
)
"""Fields of an OfferCreate."""
_ADDED_BY_SERVERS = _names("ctid date hash inLedger ledger_index owner_funds")
"""What servers add to an OfferCreate's own fields."""
_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_KNOWN_ORDER = msgspec.json.Decoder(
    msgspec.defstruct(
        "KnownOrder",
        [
            (f"part{place}", msgspec.Raw, msgspec.field(name=name, default=msgspec.Raw()))
            for place, name in enumerate(sorted(_ORDER_FIELDS | _ADDED_BY_SERVERS))
        ],
        forbid_unknown_fields=True,
        gc=False,
    )
)
"""An OfferCreate of which every field is known: to see that takes half as long as to look at each one."""


def unknown_entry_fields(entry_type: str, fields: msgspec.Raw) -> tuple[str, ...]:
    """Return the entry's fields that the kernel does not know, as `<type>.<field>`."""
    known = ENTRY_FIELDS.get(entry_type)
    if known is None or not fields:
        return ()
    parts = _PARTS.decode(fields)
    if known.issuperset(parts):
        return ()
    return tuple(f"{entry_type}.{name}" for name in parts if name not in known)


def unknown_order_fields(record: bytes | msgspec.Raw) -> tuple[str, ...]:
    """Return the fields of an OfferCreate's record that the kernel does not know.

    Fields of the ledger begin with a capital letter; what a server adds to them does not.
    """
    try:
        _KNOWN_ORDER.decode(record)
    except msgspec.ValidationError:
        return _unknown_fields_one_by_one(record)
    return ()


def _unknown_fields_one_by_one(record: bytes | msgspec.Raw) -> tuple[str, ...]:
    parts = _PARTS.decode(record)
    for name in ("tx_json", "tx", "transaction"):
        if bytes(parts.get(name, b""))[:1] == b"{":
            parts = _PARTS.decode(parts[name])
            break
    others = parts.keys() - _ORDER_FIELDS
    return tuple(name for name in parts if name in others and name[:1].isupper()) if others else ()
