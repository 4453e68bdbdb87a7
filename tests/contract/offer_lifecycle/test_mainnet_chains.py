"""The links between an offer's changes on mainnet: nothing that was read is missed, and what was not is named."""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

import mainnet
from mainnet import MAINNET_ID, Recorded

from offer_lifecycle import LedgerFacts, Order, begin, fold, parse_amount
from offer_lifecycle.amounts import EXACT
from offer_lifecycle.chain import continuous, missing_link
from offer_lifecycle.changes import Kind, OfferChange
from order_events import Resolution

pytestmark = mainnet.needed
