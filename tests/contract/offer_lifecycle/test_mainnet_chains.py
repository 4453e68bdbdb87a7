"""The links between an offer's changes on mainnet: nothing that was read is missed, and what was not is named."""

import mainnet

pytestmark = mainnet.needed
