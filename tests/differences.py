"""An attacker who subtracts: from sums that were published to parts that were not.

A sum is known as an interval over a set of atoms that are not negative. Where one set holds another, the rest is known
too; where two meet, the union is. Whatever follows so from all that was seen, in some rounds, is known in the end.
"""

from collections.abc import Hashable, Iterable, Mapping
from fractions import Fraction
from itertools import combinations

Atoms = frozenset[Hashable]
Interval = tuple[Fraction, Fraction]
ROUNDS, MOST_SETS = 4, 4000


class Knowledge:
    """All sums an attacker knows."""

    def __init__(self) -> None:
        self.sums: dict[Atoms, Interval] = {}

    def learn(self, atoms: Iterable[Hashable], low: Fraction | int, high: Fraction | int | None = None) -> None:
        """A published sum; of two the narrower holds, and a contradiction keeps the first."""
        key, new = frozenset(atoms), (Fraction(low), Fraction(low if high is None else high))
        if not key:
            return
        old = self.sums.get(key)
        both = new if old is None else (max(old[0], new[0]), min(old[1], new[1]))
        if both[0] <= both[1]:
            self.sums[key] = both

    def subtract(self) -> None:
        """Every set from every set that holds it, until nothing new comes."""
        for _round in range(ROUNDS):
            before = dict(self.sums)
            for one, other in combinations(sorted(before, key=len), 2):
                if one < other and len(self.sums) < MOST_SETS:
                    self.learn(other - one, max(Fraction(0), before[other][0] - before[one][1]),
                               before[other][1] - before[one][0])
            if before == self.sums:
                return

    def found(self, secrets: Mapping[Atoms, int], within: Fraction = Fraction(1, 10)) -> set[Atoms]:
        """Secrets (atoms and their true sum) that are known so closely, from both sides."""
        return {atoms for atoms, truth in secrets.items() if truth > 0 and (known := self.sums.get(atoms))
                and known[0] <= truth <= known[1] and known[1] - known[0] <= 2 * within * truth}
