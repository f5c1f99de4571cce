"""The demo's members, made up once by Faker: a customer file like the original's.

Hard cases are in it on purpose: 29 February, no birthdate, double spaces, apostrophes, a comma in
the name, names in other scripts, families that share one e-mail address.
"""

import random
from datetime import date, timedelta
from typing import Final

from producer.members import Member

STORES: Final = (2, 3, 5, 7, 8, 11, 13, 34)
"""Numbers of the demo's stores; with gaps, as in the field."""
_BLOCKS: Final = (1, 5001, 8001)
"""Customer ids come in blocks from these on, as in the original's customer file."""
_BLOCK_SIZE: Final = 800
_SCRIPTS: Final = ("ja_JP", "ru_RU", "el_GR", "ar_SA", "zh_CN", "hi_IN", "ko_KR")
_FIRST_BIRTH: Final = date(1940, 1, 1)
_BIRTH_DAYS: Final = 365 * 66
_FIRST_SINCE: Final = date(2016, 1, 1)
_SINCE_DAYS: Final = 365 * 10


def demo_members(count: int = 2000, seed: int = 1) -> tuple[Member, ...]:
    """Give the ids and home stores of `demo_customers`, without making up the rest."""
    dice = random.Random(seed)
    return tuple(Member(_customer_id(n), dice.choice(STORES)) for n in range(count))


def demo_customers(count: int = 2000, seed: int = 1) -> str:
    """Give a customer file as CSV text without a header; the same seed gives the same text.

    Columns: customer_id, home_store, name, email, since, card number (always quoted), birthdate
    (ISO, may be empty), gender (M, F, N), birth year. Ids and card numbers are unique.
    """
    people = _People(seed)
    return "".join(
        people.row(n, member) for n, member in enumerate(demo_members(count, seed), start=1)
    )


def _customer_id(n: int) -> int:
    block, place = divmod(n, _BLOCK_SIZE)
    first = _BLOCKS[block] if block < len(_BLOCKS) else 10_000 * block
    return first + place


class _People:
    """Makes up what is personal of a member."""

    def __init__(self, seed: int) -> None:
        from faker import Faker

        self._latin = Faker("en_US")
        self._foreign = [Faker(script) for script in _SCRIPTS]
        for faker in (self._latin, *self._foreign):
            faker.seed_instance(seed)
        self._dice = random.Random(seed)
        self._email = ""

    def row(self, n: int, member: Member) -> str:
        """Give the n-th row, n from 1; which hard case it is goes by n."""
        dice = self._dice
        born = _FIRST_BIRTH + timedelta(days=dice.randrange(_BIRTH_DAYS))
        if n % 40 == 7:
            born = date(1944 + 4 * dice.randrange(15), 2, 29)
        since = _FIRST_SINCE + timedelta(days=dice.randrange(_SINCE_DAYS))
        if n % 25 != 3:  # else: a family, with the e-mail address of the one before
            self._email = self._latin.ascii_safe_email()
        digits = f"{n * 2_654_435_761 % 10**10:010}"
        card = f"{digits[:3]}-{digits[3:6]}-{digits[6:]}"
        birthdate = "" if n % 20 == 11 else born.isoformat()
        return (
            f"{member.customer_id},{member.home_store},{self._name(n)},{self._email},{since}"
            f',"{card}",{birthdate},{dice.choice("MFN")},{born.year}\n'
        )

    def _name(self, n: int) -> str:
        first, last = self._latin.first_name(), self._latin.last_name()
        match n % 20:
            case 5:
                return f"{first}  {last}"
            case 9:
                return f"{first} O'{last}"
            case 13:
                return f'"{last}, {first}"'
            case 17:
                return f" {first} {last} "
            case 1 | 15:
                return str(self._foreign[n // 2 % len(self._foreign)].name())
            case _:
                return f"{first} {last}"
