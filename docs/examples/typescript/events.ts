// Made from shared/order_events/schemas by make_events.mjs; change nothing here by hand.

export type FillproofEvent =
  | OrderAccepted
  | OrderCanceled
  | OrderCorrected
  | OrderDisappeared
  | OrderExpired
  | OrderFilled
  | OrderRejected
  | BalanceDrift
  | ReconcilerConfirmed
  | ReconcilerHalted
  | HistoryGap
  | ReconcilerResumed;
/**
 * Why an order is no longer on the book.
 */
export type RemovalReason =
  | "ACCOUNT_DELETED"
  | "CANCELED"
  | "EXPIRED"
  | "FILLED"
  | "FROZEN"
  | "KILLED"
  | "OUT_OF_DOMAIN"
  | "REPLACED"
  | "SELF_CROSSED"
  | "TINY"
  | "UNAUTHORIZED"
  | "UNEXPLAINED"
  | "UNFUNDED"
  | "UNKNOWN";
/**
 * How far the end of an order is explained.
 */
export type Resolution = "pending" | "resolved" | "unresolved";

/**
 * The order rests on the book: its entry was created, or found when the account was adopted.
 */
export interface OrderAccepted {
  event_type: "order.accepted";
  /**
   * The fact's name, derived from network, transaction, order and kind; the same fact has the same id for ever. It is the message's Nats-Msg-Id and the primary key in PostgreSQL.
   */
  event_id: string;
  /**
   * The version of this event type's schema.
   */
  version?: number;
  /**
   * The ledger's network id; 0 is the main network.
   */
  network_id: number;
  /**
   * The order's owner, a classic address.
   */
  account: string;
  /**
   * The order's Sequence, or its TicketSequence where a ticket was used.
   */
  sequence: number;
  /**
   * The engine's own name of the order; null: the engine announced none.
   */
  client_order_id: string | null;
  /**
   * The engine's session; null: the engine announced none.
   */
  session_id: string | null;
  /**
   * True: the order is on the ledger, and no engine announced it.
   */
  external: boolean;
  /**
   * `<base>/<quote>`; XRP is the base where it is one of the two, else the asset that sorts first.
   */
  market: string;
  /**
   * The order's side, seen from the base asset.
   */
  side: "BUY" | "SELL";
  /**
   * The limit, in quote per base (XRP in XRP, not drops).
   */
  price: string | null;
  /**
   * The quantity that was placed, in base (XRP in XRP).
   */
  quantity: string;
  /**
   * The order's status after the fact.
   */
  status:
    | "ACCEPTED"
    | "CANCELED"
    | "EXPIRED"
    | "FILLED"
    | "LOST"
    | "PARTIALLY_FILLED"
    | "PENDING_CANCEL"
    | "REJECTED"
    | "REMOVED"
    | "SUBMITTED";
  /**
   * The quantity that has traded so far, in base (XRP in XRP).
   */
  filled_qty: string;
  /**
   * The quantity that still works on the book, in base (XRP in XRP); 0 once ended.
   */
  leaves_qty: string;
  /**
   * Average price of all trades so far, in quote per base; null before the first.
   */
  avg_px: string | null;
  /**
   * Why the order ended; null while it lives and for a rejected one, which never did.
   */
  removal_reason: RemovalReason | null;
  /**
   * Hash of the transaction that ended the order; null where none did (yet).
   */
  removed_by: string | null;
  /**
   * How far the order's end is explained; null while it lives.
   */
  resolution: Resolution | null;
  /**
   * Transactions that touched the order and were not read: each a hash, or in words the ledgers in which they are.
   */
  missing_transactions?: string[];
  /**
   * The validated ledger of the fact; null for an Expiration that passed with no transaction.
   */
  ledger_index: number | null;
  /**
   * Hash of the transaction of the fact; null where there is none.
   */
  transaction_hash: string | null;
  /**
   * That transaction's TransactionIndex in its ledger; null where there is none.
   */
  transaction_index: number | null;
  /**
   * Close time of that ledger (UTC); for an Expiration that passed, the Expiration itself.
   */
  occurred_at: string;
  /**
   * Whether the fact is of the time in which the account was followed.
   */
  provenance: "backfill" | "live" | "presumed";
  taker_gets: Amount;
  taker_pays: Amount1;
  /**
   * The entry's Expiration (UTC); null: the order has none.
   */
  expiration: string | null;
}
/**
 * The entry's TakerGets: what the order gives.
 */
export interface Amount {
  /**
   * `XRP`, `<currency>.<issuer>` or an MPT issuance id (48 hexadecimal digits).
   */
  asset: string;
  /**
   * XRP in drops; tokens in decimal tokens; an MPT in its smallest unit.
   */
  value: string;
}
/**
 * The entry's TakerPays: what the order asks for.
 */
export interface Amount1 {
  /**
   * `XRP`, `<currency>.<issuer>` or an MPT issuance id (48 hexadecimal digits).
   */
  asset: string;
  /**
   * XRP in drops; tokens in decimal tokens; an MPT in its smallest unit.
   */
  value: string;
}
/**
 * Ended by an OfferCancel, by a replacement, or as the dropped rest of an IOC or FOK that traded.
 */
export interface OrderCanceled {
  event_type: "order.canceled";
  /**
   * The fact's name, derived from network, transaction, order and kind; the same fact has the same id for ever. It is the message's Nats-Msg-Id and the primary key in PostgreSQL.
   */
  event_id: string;
  /**
   * The version of this event type's schema.
   */
  version?: number;
  /**
   * The ledger's network id; 0 is the main network.
   */
  network_id: number;
  /**
   * The order's owner, a classic address.
   */
  account: string;
  /**
   * The order's Sequence, or its TicketSequence where a ticket was used.
   */
  sequence: number;
  /**
   * The engine's own name of the order; null: the engine announced none.
   */
  client_order_id: string | null;
  /**
   * The engine's session; null: the engine announced none.
   */
  session_id: string | null;
  /**
   * True: the order is on the ledger, and no engine announced it.
   */
  external: boolean;
  /**
   * `<base>/<quote>`; XRP is the base where it is one of the two, else the asset that sorts first.
   */
  market: string;
  /**
   * The order's side, seen from the base asset.
   */
  side: "BUY" | "SELL";
  /**
   * The limit, in quote per base (XRP in XRP, not drops).
   */
  price: string | null;
  /**
   * The quantity that was placed, in base (XRP in XRP).
   */
  quantity: string;
  /**
   * The order's status after the fact.
   */
  status:
    | "ACCEPTED"
    | "CANCELED"
    | "EXPIRED"
    | "FILLED"
    | "LOST"
    | "PARTIALLY_FILLED"
    | "PENDING_CANCEL"
    | "REJECTED"
    | "REMOVED"
    | "SUBMITTED";
  /**
   * The quantity that has traded so far, in base (XRP in XRP).
   */
  filled_qty: string;
  /**
   * The quantity that still works on the book, in base (XRP in XRP); 0 once ended.
   */
  leaves_qty: string;
  /**
   * Average price of all trades so far, in quote per base; null before the first.
   */
  avg_px: string | null;
  /**
   * Why the order ended; null while it lives and for a rejected one, which never did.
   */
  removal_reason: RemovalReason | null;
  /**
   * Hash of the transaction that ended the order; null where none did (yet).
   */
  removed_by: string | null;
  /**
   * How far the order's end is explained; null while it lives.
   */
  resolution: Resolution | null;
  /**
   * Transactions that touched the order and were not read: each a hash, or in words the ledgers in which they are.
   */
  missing_transactions?: string[];
  /**
   * The validated ledger of the fact; null for an Expiration that passed with no transaction.
   */
  ledger_index: number | null;
  /**
   * Hash of the transaction of the fact; null where there is none.
   */
  transaction_hash: string | null;
  /**
   * That transaction's TransactionIndex in its ledger; null where there is none.
   */
  transaction_index: number | null;
  /**
   * Close time of that ledger (UTC); for an Expiration that passed, the Expiration itself.
   */
  occurred_at: string;
  /**
   * Whether the fact is of the time in which the account was followed.
   */
  provenance: "backfill" | "live" | "presumed";
}
/**
 * An earlier event of the order is wrong or incomplete: this is the order's state as it is known now.
 *
 * `ledger_index` is the ledger up to which that holds. What happened to the order has events of its own,
 * also where it became known late. Both the event that is corrected and this one stay on record.
 */
export interface OrderCorrected {
  event_type: "order.corrected";
  /**
   * The fact's name, derived from network, transaction, order and kind; the same fact has the same id for ever. It is the message's Nats-Msg-Id and the primary key in PostgreSQL.
   */
  event_id: string;
  /**
   * The version of this event type's schema. Version 1 had `stands` instead of `correction`: true for `amended`, false for `withdrawn`.
   */
  version?: number;
  /**
   * The ledger's network id; 0 is the main network.
   */
  network_id: number;
  /**
   * The order's owner, a classic address.
   */
  account: string;
  /**
   * The order's Sequence, or its TicketSequence where a ticket was used.
   */
  sequence: number;
  /**
   * The engine's own name of the order; null: the engine announced none.
   */
  client_order_id: string | null;
  /**
   * The engine's session; null: the engine announced none.
   */
  session_id: string | null;
  /**
   * True: the order is on the ledger, and no engine announced it.
   */
  external: boolean;
  /**
   * `<base>/<quote>`; XRP is the base where it is one of the two, else the asset that sorts first.
   */
  market: string;
  /**
   * The order's side, seen from the base asset.
   */
  side: "BUY" | "SELL";
  /**
   * The limit, in quote per base (XRP in XRP, not drops).
   */
  price: string | null;
  /**
   * The quantity that was placed, in base (XRP in XRP).
   */
  quantity: string;
  /**
   * The order's status after the fact.
   */
  status:
    | "ACCEPTED"
    | "CANCELED"
    | "EXPIRED"
    | "FILLED"
    | "LOST"
    | "PARTIALLY_FILLED"
    | "PENDING_CANCEL"
    | "REJECTED"
    | "REMOVED"
    | "SUBMITTED";
  /**
   * The quantity that has traded so far, in base (XRP in XRP).
   */
  filled_qty: string;
  /**
   * The quantity that still works on the book, in base (XRP in XRP); 0 once ended.
   */
  leaves_qty: string;
  /**
   * Average price of all trades so far, in quote per base; null before the first.
   */
  avg_px: string | null;
  /**
   * Why the order ended; null while it lives and for a rejected one, which never did.
   */
  removal_reason: RemovalReason | null;
  /**
   * Hash of the transaction that ended the order; null where none did (yet).
   */
  removed_by: string | null;
  /**
   * How far the order's end is explained; null while it lives.
   */
  resolution: Resolution | null;
  /**
   * Transactions that touched the order and were not read: each a hash, or in words the ledgers in which they are.
   */
  missing_transactions?: string[];
  /**
   * The validated ledger of the fact; null for an Expiration that passed with no transaction.
   */
  ledger_index: number | null;
  /**
   * Hash of the transaction of the fact; null where there is none.
   */
  transaction_hash: string | null;
  /**
   * That transaction's TransactionIndex in its ledger; null where there is none.
   */
  transaction_index: number | null;
  /**
   * Close time of that ledger (UTC); for an Expiration that passed, the Expiration itself.
   */
  occurred_at: string;
  /**
   * Whether the fact is of the time in which the account was followed.
   */
  provenance: "backfill" | "live" | "presumed";
  /**
   * The id of the earlier event that is now wrong.
   */
  corrects: string;
  /**
   * What becomes of that event: `amended` (it happened; amounts or the cause were incomplete) or `withdrawn` (it did not happen).
   */
  correction: "amended" | "withdrawn";
  /**
   * True: the order's end, as it is known now, is an anomaly.
   */
  anomaly: boolean;
  /**
   * What is known now and was not known then.
   */
  evidence: string;
}
/**
 * An order left the book, or never reached it, without the engine's own doing.
 */
export interface OrderDisappeared {
  event_type: "order.disappeared";
  /**
   * The fact's name, derived from network, transaction, order and kind; the same fact has the same id for ever. It is the message's Nats-Msg-Id and the primary key in PostgreSQL.
   */
  event_id: string;
  /**
   * The version of this event type's schema.
   */
  version?: number;
  /**
   * The ledger's network id; 0 is the main network.
   */
  network_id: number;
  /**
   * The order's owner, a classic address.
   */
  account: string;
  /**
   * The order's Sequence, or its TicketSequence where a ticket was used.
   */
  sequence: number;
  /**
   * The engine's own name of the order; null: the engine announced none.
   */
  client_order_id: string | null;
  /**
   * The engine's session; null: the engine announced none.
   */
  session_id: string | null;
  /**
   * True: the order is on the ledger, and no engine announced it.
   */
  external: boolean;
  /**
   * `<base>/<quote>`; XRP is the base where it is one of the two, else the asset that sorts first.
   */
  market: string;
  /**
   * The order's side, seen from the base asset.
   */
  side: "BUY" | "SELL";
  /**
   * The limit, in quote per base (XRP in XRP, not drops).
   */
  price: string | null;
  /**
   * The quantity that was placed, in base (XRP in XRP).
   */
  quantity: string;
  /**
   * The order's status after the fact.
   */
  status:
    | "ACCEPTED"
    | "CANCELED"
    | "EXPIRED"
    | "FILLED"
    | "LOST"
    | "PARTIALLY_FILLED"
    | "PENDING_CANCEL"
    | "REJECTED"
    | "REMOVED"
    | "SUBMITTED";
  /**
   * The quantity that has traded so far, in base (XRP in XRP).
   */
  filled_qty: string;
  /**
   * The quantity that still works on the book, in base (XRP in XRP); 0 once ended.
   */
  leaves_qty: string;
  /**
   * Average price of all trades so far, in quote per base; null before the first.
   */
  avg_px: string | null;
  /**
   * Why the order ended; null while it lives and for a rejected one, which never did.
   */
  removal_reason: RemovalReason | null;
  /**
   * Hash of the transaction that ended the order; null where none did (yet).
   */
  removed_by: string | null;
  /**
   * How far the order's end is explained; null while it lives.
   */
  resolution: Resolution | null;
  /**
   * Transactions that touched the order and were not read: each a hash, or in words the ledgers in which they are.
   */
  missing_transactions?: string[];
  /**
   * The validated ledger of the fact; null for an Expiration that passed with no transaction.
   */
  ledger_index: number | null;
  /**
   * Hash of the transaction of the fact; null where there is none.
   */
  transaction_hash: string | null;
  /**
   * That transaction's TransactionIndex in its ledger; null where there is none.
   */
  transaction_index: number | null;
  /**
   * Close time of that ledger (UTC); for an Expiration that passed, the Expiration itself.
   */
  occurred_at: string;
  /**
   * Whether the fact is of the time in which the account was followed.
   */
  provenance: "backfill" | "live" | "presumed";
  /**
   * True: the engine neither asked for this end nor planned it.
   */
  anomaly: boolean;
  /**
   * What the reconciler did about it: `none`, `closed`, `fill_applied`, `held`, `presumed_filled`, `halted`; readers must accept words not listed here.
   */
  action_taken?: string;
  /**
   * The quantity that was left when the order ended, in base (XRP in XRP).
   */
  remaining: string;
  /**
   * The rule that applied and what in the metadata shows it.
   */
  evidence: string;
  /**
   * The account whose transaction ended the order; null where none did (yet).
   */
  sent_by?: string | null;
  /**
   * Of an unfunded order: hash of the transaction after which its owner had nothing to give; null: not known.
   */
  unfunded_since?: string | null;
  /**
   * The market at that moment; null: it was not read.
   */
  market_context?: MarketContext | null;
}
/**
 * The market around a disappeared order, read at one validated ledger.
 *
 * What is not known is null, and `reason` then says why.
 */
export interface MarketContext {
  /**
   * The validated ledger at which the market was read.
   */
  ledger_index: number;
  /**
   * Highest price of the buy side's offers, in quote per base.
   */
  best_bid?: string | null;
  /**
   * Lowest price of the sell side's offers, in quote per base.
   */
  best_ask?: string | null;
  /**
   * Spot price of the market's AMM, in quote per base, its fee left out.
   */
  amm_price?: string | null;
  /**
   * Mid price, in quote per base.
   */
  mid_price?: string | null;
  /**
   * What the mid price was made from: `clob`, `amm` or `blended`.
   */
  mid_source?: string | null;
  /**
   * (best ask - best bid) / mid, in basis points.
   */
  spread_bps?: string | null;
  /**
   * (the order's price - mid) / mid, in basis points; positive is away from the market.
   */
  distance_bps?: string | null;
  /**
   * Why a price is not known; null if all of them are.
   */
  reason?: string | null;
}
/**
 * Past its Expiration: `removed_by` is null while the dead entry is still listed.
 */
export interface OrderExpired {
  event_type: "order.expired";
  /**
   * The fact's name, derived from network, transaction, order and kind; the same fact has the same id for ever. It is the message's Nats-Msg-Id and the primary key in PostgreSQL.
   */
  event_id: string;
  /**
   * The version of this event type's schema.
   */
  version?: number;
  /**
   * The ledger's network id; 0 is the main network.
   */
  network_id: number;
  /**
   * The order's owner, a classic address.
   */
  account: string;
  /**
   * The order's Sequence, or its TicketSequence where a ticket was used.
   */
  sequence: number;
  /**
   * The engine's own name of the order; null: the engine announced none.
   */
  client_order_id: string | null;
  /**
   * The engine's session; null: the engine announced none.
   */
  session_id: string | null;
  /**
   * True: the order is on the ledger, and no engine announced it.
   */
  external: boolean;
  /**
   * `<base>/<quote>`; XRP is the base where it is one of the two, else the asset that sorts first.
   */
  market: string;
  /**
   * The order's side, seen from the base asset.
   */
  side: "BUY" | "SELL";
  /**
   * The limit, in quote per base (XRP in XRP, not drops).
   */
  price: string | null;
  /**
   * The quantity that was placed, in base (XRP in XRP).
   */
  quantity: string;
  /**
   * The order's status after the fact.
   */
  status:
    | "ACCEPTED"
    | "CANCELED"
    | "EXPIRED"
    | "FILLED"
    | "LOST"
    | "PARTIALLY_FILLED"
    | "PENDING_CANCEL"
    | "REJECTED"
    | "REMOVED"
    | "SUBMITTED";
  /**
   * The quantity that has traded so far, in base (XRP in XRP).
   */
  filled_qty: string;
  /**
   * The quantity that still works on the book, in base (XRP in XRP); 0 once ended.
   */
  leaves_qty: string;
  /**
   * Average price of all trades so far, in quote per base; null before the first.
   */
  avg_px: string | null;
  /**
   * Why the order ended; null while it lives and for a rejected one, which never did.
   */
  removal_reason: RemovalReason | null;
  /**
   * Hash of the transaction that ended the order; null where none did (yet).
   */
  removed_by: string | null;
  /**
   * How far the order's end is explained; null while it lives.
   */
  resolution: Resolution | null;
  /**
   * Transactions that touched the order and were not read: each a hash, or in words the ledgers in which they are.
   */
  missing_transactions?: string[];
  /**
   * The validated ledger of the fact; null for an Expiration that passed with no transaction.
   */
  ledger_index: number | null;
  /**
   * Hash of the transaction of the fact; null where there is none.
   */
  transaction_hash: string | null;
  /**
   * That transaction's TransactionIndex in its ledger; null where there is none.
   */
  transaction_index: number | null;
  /**
   * Close time of that ledger (UTC); for an Expiration that passed, the Expiration itself.
   */
  occurred_at: string;
  /**
   * Whether the fact is of the time in which the account was followed.
   */
  provenance: "backfill" | "live" | "presumed";
  /**
   * The order's Expiration (UTC).
   */
  expiration: string;
}
/**
 * One trade: one transaction's change to one order.
 */
export interface OrderFilled {
  event_type: "order.filled";
  /**
   * The fact's name, derived from network, transaction, order and kind; the same fact has the same id for ever. It is the message's Nats-Msg-Id and the primary key in PostgreSQL.
   */
  event_id: string;
  /**
   * The version of this event type's schema.
   */
  version?: number;
  /**
   * The ledger's network id; 0 is the main network.
   */
  network_id: number;
  /**
   * The order's owner, a classic address.
   */
  account: string;
  /**
   * The order's Sequence, or its TicketSequence where a ticket was used.
   */
  sequence: number;
  /**
   * The engine's own name of the order; null: the engine announced none.
   */
  client_order_id: string | null;
  /**
   * The engine's session; null: the engine announced none.
   */
  session_id: string | null;
  /**
   * True: the order is on the ledger, and no engine announced it.
   */
  external: boolean;
  /**
   * `<base>/<quote>`; XRP is the base where it is one of the two, else the asset that sorts first.
   */
  market: string;
  /**
   * The order's side, seen from the base asset.
   */
  side: "BUY" | "SELL";
  /**
   * The limit, in quote per base (XRP in XRP, not drops).
   */
  price: string | null;
  /**
   * The quantity that was placed, in base (XRP in XRP).
   */
  quantity: string;
  /**
   * The order's status after the fact.
   */
  status:
    | "ACCEPTED"
    | "CANCELED"
    | "EXPIRED"
    | "FILLED"
    | "LOST"
    | "PARTIALLY_FILLED"
    | "PENDING_CANCEL"
    | "REJECTED"
    | "REMOVED"
    | "SUBMITTED";
  /**
   * The quantity that has traded so far, in base (XRP in XRP).
   */
  filled_qty: string;
  /**
   * The quantity that still works on the book, in base (XRP in XRP); 0 once ended.
   */
  leaves_qty: string;
  /**
   * Average price of all trades so far, in quote per base; null before the first.
   */
  avg_px: string | null;
  /**
   * Why the order ended; null while it lives and for a rejected one, which never did.
   */
  removal_reason: RemovalReason | null;
  /**
   * Hash of the transaction that ended the order; null where none did (yet).
   */
  removed_by: string | null;
  /**
   * How far the order's end is explained; null while it lives.
   */
  resolution: Resolution | null;
  /**
   * Transactions that touched the order and were not read: each a hash, or in words the ledgers in which they are.
   */
  missing_transactions?: string[];
  /**
   * The validated ledger of the fact; null for an Expiration that passed with no transaction.
   */
  ledger_index: number | null;
  /**
   * Hash of the transaction of the fact; null where there is none.
   */
  transaction_hash: string | null;
  /**
   * That transaction's TransactionIndex in its ledger; null where there is none.
   */
  transaction_index: number | null;
  /**
   * Close time of that ledger (UTC); for an Expiration that passed, the Expiration itself.
   */
  occurred_at: string;
  /**
   * Whether the fact is of the time in which the account was followed.
   */
  provenance: "backfill" | "live" | "presumed";
  /**
   * The trade's name: the event's id, as text.
   */
  trade_id: string;
  /**
   * This trade's quantity, in base (XRP in XRP).
   */
  last_qty: string;
  /**
   * This trade's price, in quote per base (XRP in XRP); null: nothing in base moved.
   */
  last_px: string | null;
  gave: Amount2;
  got: Amount3;
  /**
   * Whether the order rested or took others in its own transaction.
   */
  liquidity_side: "MAKER" | "TAKER";
}
/**
 * What the offer gave, as the ledger counts it; a transfer fee, which the owner pays on top, is not in it.
 */
export interface Amount2 {
  /**
   * `XRP`, `<currency>.<issuer>` or an MPT issuance id (48 hexadecimal digits).
   */
  asset: string;
  /**
   * XRP in drops; tokens in decimal tokens; an MPT in its smallest unit.
   */
  value: string;
}
/**
 * What the offer got, as the ledger counts it.
 */
export interface Amount3 {
  /**
   * `XRP`, `<currency>.<issuer>` or an MPT issuance id (48 hexadecimal digits).
   */
  asset: string;
  /**
   * XRP in drops; tokens in decimal tokens; an MPT in its smallest unit.
   */
  value: string;
}
/**
 * Validated, and neither rested nor traded.
 */
export interface OrderRejected {
  event_type: "order.rejected";
  /**
   * The fact's name, derived from network, transaction, order and kind; the same fact has the same id for ever. It is the message's Nats-Msg-Id and the primary key in PostgreSQL.
   */
  event_id: string;
  /**
   * The version of this event type's schema.
   */
  version?: number;
  /**
   * The ledger's network id; 0 is the main network.
   */
  network_id: number;
  /**
   * The order's owner, a classic address.
   */
  account: string;
  /**
   * The order's Sequence, or its TicketSequence where a ticket was used.
   */
  sequence: number;
  /**
   * The engine's own name of the order; null: the engine announced none.
   */
  client_order_id: string | null;
  /**
   * The engine's session; null: the engine announced none.
   */
  session_id: string | null;
  /**
   * True: the order is on the ledger, and no engine announced it.
   */
  external: boolean;
  /**
   * `<base>/<quote>`; XRP is the base where it is one of the two, else the asset that sorts first.
   */
  market: string;
  /**
   * The order's side, seen from the base asset.
   */
  side: "BUY" | "SELL";
  /**
   * The limit, in quote per base (XRP in XRP, not drops).
   */
  price: string | null;
  /**
   * The quantity that was placed, in base (XRP in XRP).
   */
  quantity: string;
  /**
   * The order's status after the fact.
   */
  status:
    | "ACCEPTED"
    | "CANCELED"
    | "EXPIRED"
    | "FILLED"
    | "LOST"
    | "PARTIALLY_FILLED"
    | "PENDING_CANCEL"
    | "REJECTED"
    | "REMOVED"
    | "SUBMITTED";
  /**
   * The quantity that has traded so far, in base (XRP in XRP).
   */
  filled_qty: string;
  /**
   * The quantity that still works on the book, in base (XRP in XRP); 0 once ended.
   */
  leaves_qty: string;
  /**
   * Average price of all trades so far, in quote per base; null before the first.
   */
  avg_px: string | null;
  /**
   * Why the order ended; null while it lives and for a rejected one, which never did.
   */
  removal_reason: RemovalReason | null;
  /**
   * Hash of the transaction that ended the order; null where none did (yet).
   */
  removed_by: string | null;
  /**
   * How far the order's end is explained; null while it lives.
   */
  resolution: Resolution | null;
  /**
   * Transactions that touched the order and were not read: each a hash, or in words the ledgers in which they are.
   */
  missing_transactions?: string[];
  /**
   * The validated ledger of the fact; null for an Expiration that passed with no transaction.
   */
  ledger_index: number | null;
  /**
   * Hash of the transaction of the fact; null where there is none.
   */
  transaction_hash: string | null;
  /**
   * That transaction's TransactionIndex in its ledger; null where there is none.
   */
  transaction_index: number | null;
  /**
   * Close time of that ledger (UTC); for an Expiration that passed, the Expiration itself.
   */
  occurred_at: string;
  /**
   * Whether the fact is of the time in which the account was followed.
   */
  provenance: "backfill" | "live" | "presumed";
  /**
   * The transaction's result code, as `tecKILLED`.
   */
  result: string;
}
/**
 * A balance is not what fills, fees and payments explain: something was not read, or an answer is wrong.
 *
 * `ledger_index` is the ledger at which the reconciler found it.
 */
export interface BalanceDrift {
  event_type: "reconciler.balance_drift";
  /**
   * The fact's name; the same fact has the same id for ever. It is the message's Nats-Msg-Id and the primary key in PostgreSQL.
   */
  event_id: string;
  /**
   * The version of this event type's schema.
   */
  version?: number;
  /**
   * The ledger's network id; 0 is the main network.
   */
  network_id: number;
  /**
   * The account, a classic address.
   */
  account: string;
  /**
   * The engine's session; null: the engine announced none.
   */
  session_id: string | null;
  /**
   * The last validated ledger that was read for the account; null: none was.
   */
  ledger_index: number | null;
  /**
   * Close time of that ledger (UTC); without one, the moment of the event itself.
   */
  occurred_at: string;
  /**
   * `XRP`, or the token's currency.
   */
  currency: string;
  /**
   * The token's issuer; null for XRP. What an account owes is its own issue, on whichever trust lines.
   */
  issuer: string | null;
  /**
   * What the balance has beyond what is explained (less, if negative): drops for XRP, else decimal tokens.
   */
  amount: string;
  /**
   * The first ledger in which the drift may have begun: up to the ledger before, the balance was explained.
   */
  since_ledger: number;
  /**
   * Hash of the transaction whose metadata shows the drift; null: the balances that a server showed.
   */
  shown_by: string | null;
  /**
   * Hashes of transactions that changed the balance and were not read, if known.
   */
  missing_transactions?: string[];
  /**
   * What the reconciler did about it: `none` or `halted`; readers must accept words not listed here.
   */
  action_taken?: string;
}
/**
 * What was told of the account's transactions in ledgers `first_ledger` to `ledger_index` is certain.
 *
 * Their bytes hash up to the ledgers' hashes (proven), and a second server or validators have named these
 * hashes (confirmed). It follows each ledger of which something was told, and one quiet ledger in 256. What
 * was told of a ledger that no such event covers is one server's word: the server gives no whole ledgers, or
 * nobody confirmed the ledger in time.
 */
export interface ReconcilerConfirmed {
  event_type: "reconciler.confirmed";
  /**
   * The fact's name; the same fact has the same id for ever. It is the message's Nats-Msg-Id and the primary key in PostgreSQL.
   */
  event_id: string;
  /**
   * The version of this event type's schema.
   */
  version?: number;
  /**
   * The ledger's network id; 0 is the main network.
   */
  network_id: number;
  /**
   * The account, a classic address.
   */
  account: string;
  /**
   * The engine's session; null: the engine announced none.
   */
  session_id: string | null;
  /**
   * The last validated ledger that was read for the account; null: none was.
   */
  ledger_index: number | null;
  /**
   * Close time of that ledger (UTC); without one, the moment of the event itself.
   */
  occurred_at: string;
  /**
   * The first ledger that it covers; of no earlier one.
   */
  first_ledger: number;
  /**
   * The hash of ledger `ledger_index`: 64 hexadecimal digits.
   */
  ledger_hash: string;
  /**
   * `validators`: a quorum of the configured lists has signed for the hash. Otherwise the servers that name it, by address without credentials.
   */
  confirmed_by: string[];
}
/**
 * The account needs a person to look at it: nothing is acted upon until an operator resumes it.
 */
export interface ReconcilerHalted {
  event_type: "reconciler.halted";
  /**
   * The fact's name; the same fact has the same id for ever. It is the message's Nats-Msg-Id and the primary key in PostgreSQL.
   */
  event_id: string;
  /**
   * The version of this event type's schema.
   */
  version?: number;
  /**
   * The ledger's network id; 0 is the main network.
   */
  network_id: number;
  /**
   * The account, a classic address.
   */
  account: string;
  /**
   * The engine's session; null: the engine announced none.
   */
  session_id: string | null;
  /**
   * The last validated ledger that was read for the account; null: none was.
   */
  ledger_index: number | null;
  /**
   * Close time of that ledger (UTC); without one, the moment of the event itself.
   */
  occurred_at: string;
  /**
   * `unresolved`, `balance_drift`, `state_lost`, `state_rolled_back`, `state_damaged` or `announcements_lost`; readers must accept words not listed here.
   */
  cause: string;
  /**
   * What was expected and what was found.
   */
  reason: string;
  /**
   * Number of disappearances that nothing explains, since the account was adopted or last resumed.
   */
  unresolved: number;
  /**
   * What was done with those disappearances: `hold` or `presume_filled`.
   */
  policy: string;
}
/**
 * No server could show these ledgers, and the account was followed from the last of them on.
 *
 * What happened to its orders in them is not known (`pending`), or was read later (`resolved`).
 */
export interface HistoryGap {
  event_type: "reconciler.history_gap";
  /**
   * The fact's name; the same fact has the same id for ever. It is the message's Nats-Msg-Id and the primary key in PostgreSQL.
   */
  event_id: string;
  /**
   * The version of this event type's schema.
   */
  version?: number;
  /**
   * The ledger's network id; 0 is the main network.
   */
  network_id: number;
  /**
   * The account, a classic address.
   */
  account: string;
  /**
   * The engine's session; null: the engine announced none.
   */
  session_id: string | null;
  /**
   * The last validated ledger that was read for the account; null: none was.
   */
  ledger_index: number | null;
  /**
   * Close time of that ledger (UTC); without one, the moment of the event itself.
   */
  occurred_at: string;
  /**
   * The first ledger that no server could show.
   */
  first_ledger: number;
  /**
   * The last one. Of it the account's balances and offers are known, and not how they came about.
   */
  last_ledger: number;
  /**
   * How far the end of an order is explained.
   */
  resolution: "pending" | "resolved" | "unresolved";
  /**
   * Of a resolved gap: the id of the pending event; else null.
   */
  corrects?: string | null;
}
/**
 * An operator has looked, and the reconciler acts on the account again.
 */
export interface ReconcilerResumed {
  event_type: "reconciler.resumed";
  /**
   * The fact's name; the same fact has the same id for ever. It is the message's Nats-Msg-Id and the primary key in PostgreSQL.
   */
  event_id: string;
  /**
   * The version of this event type's schema.
   */
  version?: number;
  /**
   * The ledger's network id; 0 is the main network.
   */
  network_id: number;
  /**
   * The account, a classic address.
   */
  account: string;
  /**
   * The engine's session; null: the engine announced none.
   */
  session_id: string | null;
  /**
   * The last validated ledger that was read for the account; null: none was.
   */
  ledger_index: number | null;
  /**
   * Close time of that ledger (UTC); without one, the moment of the event itself.
   */
  occurred_at: string;
  /**
   * The id of the `reconciler.halted` event.
   */
  answers: string;
  /**
   * The operator's name, as given.
   */
  resumed_by: string;
  /**
   * What the operator found, as given.
   */
  note: string;
}
