"""The attacker of tests/differences.py works out what a total gives away, also over steps, and nothing else."""

from tests.differences import Knowledge


def test_what_follows_is_found_and_nothing_else() -> None:
    knows = Knowledge()
    knows.learn("abcd", 100)
    knows.learn("ab", 60)
    knows.learn("c", 30)
    knows.subtract()
    assert knows.found({frozenset("d"): 10, frozenset("a"): 30}) == {frozenset("d")}
