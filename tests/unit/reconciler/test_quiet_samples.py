"""Which quiet ledgers are held against their bytes."""

from hashlib import sha256

from reconciler.safety.quiet_samples import LEDGERS_A_SAMPLE, QuietSamples

SECRETS = [sha256(bytes([number])).digest()[:16] for number in range(200)]
SEEN, NEXT = range(90_000_000, 90_000_004), range(90_000_004, 90_000_100)


def samples(secret: bytes, ledgers: range) -> tuple[int, ...]:
    one = QuietSamples(secret)
    return tuple(ledger for ledger in ledgers if one.include(ledger))


def test_one_ledger_in_four_is_a_sample() -> None:
    drawn = len(samples(SECRETS[0], range(90_000_000, 90_004_000)))
    assert abs(drawn - 4_000 / LEDGERS_A_SAMPLE) < 150


def test_who_has_seen_the_samples_so_far_knows_nothing_of_the_next_ones() -> None:
    alike = [secret for secret in SECRETS if samples(secret, SEEN) == samples(SECRETS[0], SEEN)]
    assert len(alike) > 5
    assert len({samples(secret, NEXT) for secret in alike}) == len(alike)
