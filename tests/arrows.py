"""The arrows of the architecture: which room imports which.

    python -m tests.arrows              # every room, with the rooms that it imports
    python -m tests.arrows pipeline     # the rooms of one house

Read from the imports in the sources, inside functions too. Each line may name only rooms that
stand above it; exit code 1 where rooms import one another in a circle, which it names.
"""

import graphlib
import sys
from collections.abc import Mapping, Sequence

import grimp

HOUSES = ("model", "pipeline")


def room_of(module: str, packages: set[str]) -> str:
    """The innermost package that holds a module; a module that lies in a house is its own room."""
    if module in packages:
        return module
    parent = module.rpartition(".")[0]
    return module if parent in HOUSES else parent


def find_arrows(houses: Sequence[str] = HOUSES) -> dict[str, set[str]]:
    """The rooms, each with those that its modules import."""
    graph = grimp.build_graph(*HOUSES, cache_dir=None)
    packages = {module.rpartition(".")[0] for module in graph.modules} - {""}
    arrows: dict[str, set[str]] = {}
    for module in graph.modules:
        room = room_of(module, packages)
        if room in HOUSES or room.partition(".")[0] not in houses:
            continue
        imported = {
            room_of(each, packages) for each in graph.find_modules_directly_imported_by(module)
        }
        arrows.setdefault(room, set()).update(imported - {room, *HOUSES})
    return arrows


def in_order(arrows: Mapping[str, set[str]]) -> list[str]:
    """The rooms, lowest first, by name where the arrows leave it open.

    Raises:
        graphlib.CycleError: if rooms import one another in a circle; its second argument names
            them.
    """
    sorter = graphlib.TopologicalSorter(arrows)
    sorter.prepare()
    ordered: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered += ready
        sorter.done(*ready)
    return [room for room in ordered if room in arrows]


def main(houses: Sequence[str]) -> int:
    """Prints the arrows; returns the exit code."""
    arrows = find_arrows(houses or HOUSES)
    try:
        ordered = in_order(arrows)
    except graphlib.CycleError as error:
        print(f"a circle: {' -> '.join(error.args[1])}", file=sys.stderr)
        return 1
    width = max(map(len, ordered))
    for room in ordered:
        print(f"{room:<{width}}  <- {', '.join(sorted(arrows[room])) or 'nothing of ours'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
