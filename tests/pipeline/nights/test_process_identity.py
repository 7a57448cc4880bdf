"""ProcessIdentity: a process on this machine is alive or not; elsewhere nobody can tell."""

import dataclasses

from pipeline.nights.process_identity import ProcessIdentity

ELSEWHERE = ProcessIdentity(space="another machine", pid=1, started="1")


def test_a_later_process_with_the_same_number_is_not_the_same() -> None:
    own = ProcessIdentity.own()
    assert own.is_alive() is True
    assert dataclasses.replace(own, started="0").is_alive() is False
    assert dataclasses.replace(own, pid=2**22 + 1).is_alive() is False
    assert ELSEWHERE.is_alive() is None
    assert ProcessIdentity().is_alive() is None
