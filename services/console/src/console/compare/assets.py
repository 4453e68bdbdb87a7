"""Assets of a book and of the ledger: a book's `USD` is a token of one issuer, or it is refused."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from console.compare.books.book import Pair
from console.compare.books.rows import parse_pair
from console.compare.errors import AmbiguousBook, BadBook
from console.compare.ledger import LedgerOrder
from console.errors import BadOption
from offer_lifecycle import RATIO, XRP
from order_events import Side

_HEX_CODE = 40
_MPT_ID = len("MPT.") + 48


def code_of(asset: str) -> str:
    """Return an asset's code as people write it: `USD` of `USD.r...`, `RLUSD` of its 40 digits."""
    if asset.startswith("MPT.") and len(asset) == _MPT_ID:  # a token may be called MPT too
        return asset
    code = asset.partition(".")[0]
    if len(code) != _HEX_CODE:
        return code
    try:
        text = bytes.fromhex(code).rstrip(b"\0").decode("ascii")
    except (ValueError, UnicodeDecodeError):
        return code
    return text if text.isprintable() and text else code


class Assets:
    """Which asset of the ledger each code of a book means."""

    def __init__(self, orders: Iterable[LedgerOrder], issuers: Sequence[str]) -> None:
        """`issuers`: as given, `USD=rIssuer`; without one, the only issuer in the accounts' orders is meant.

        Raises:
            BadOption: an issuer is not given as CODE=ADDRESS.

        """
        self._given = dict(_issuer(text) for text in issuers)
        self._seen: Mapping[str, set[str]] = defaultdict(set)
        for order in orders:
            for asset in (order.base, order.quote):
                self._seen[code_of(asset)].add(asset)
        self.inferred: dict[str, str] = {}

    def asset(self, code: str) -> str:
        """Return the asset that the book's code means.

        Raises:
            AmbiguousBook: the accounts traded tokens of several issuers with that code.

        """
        if code.upper() == XRP or "." in code:
            return XRP if code.upper() == XRP else code
        if code in self._given:
            return next(
                (seen for seen in self._seen[code] if seen.endswith(self._given[code])),
                f"{code}.{self._given[code]}",
            )
        seen = sorted(self._seen.get(code, ()))
        if len(seen) > 1:
            found = ", ".join(seen)
            raise AmbiguousBook(
                f"the book names {code} without an issuer, and on the ledger its accounts traded {found}: "
                f"say which one is meant with --issuer {code}={seen[0].partition('.')[2]}"
            )
        if seen:
            self.inferred[code] = seen[0]
        return seen[0] if seen else code

    def pair(self, pair: Pair) -> Pair:
        """Return the pair in assets of the ledger."""
        return Pair(self.asset(pair.base), self.asset(pair.quote))


class Orientation:
    """Which asset of a pair is the base: as the book has it, else as the ledger's events do."""

    def __init__(self, pairs: Iterable[Pair]) -> None:
        """`pairs`: of the book, in assets of the ledger.

        Raises:
            BadBook: the book quotes the same two assets both ways.

        """
        self._pairs: dict[frozenset[str], Pair] = {}
        for pair in pairs:
            assets = frozenset((pair.base, pair.quote))
            if self._pairs.setdefault(assets, pair) != pair:
                raise BadBook(f"expected one way to quote {pair}, found {pair} and {pair.quote}/{pair.base}")

    def turn(self, order: LedgerOrder) -> LedgerOrder:
        """Return the order in terms of the book's base and quote."""
        pair = self._pairs.get(frozenset((order.base, order.quote)))
        if pair is None or pair.base == order.base:
            return order
        return _flipped(order)


def _flipped(order: LedgerOrder) -> LedgerOrder:
    price = order.price
    return msgspec.structs.replace(
        order,
        base=order.quote,
        quote=order.base,
        side=Side.BUY if order.side is Side.SELL else Side.SELL,
        quantity=RATIO.multiply(order.quantity, price) if price is not None else order.quantity,
        price=RATIO.divide(1, price) if price else None,
        fills=tuple(msgspec.structs.replace(fill, base=fill.quote, quote=fill.base) for fill in order.fills),
    )


def _issuer(text: str) -> tuple[str, str]:
    code, _, issuer = text.partition("=")
    if not code or not issuer:
        raise BadOption(f"expected an issuer as USD=rIssuer, found {text!r}")
    return code, issuer


def parse_pairs(texts: Sequence[str]) -> list[Pair]:
    """Read the pairs of `--pair`; raises BadOption where one is none."""
    try:
        return [parse_pair(text) for text in texts]
    except ValueError as error:
        raise BadOption(str(error)) from error
