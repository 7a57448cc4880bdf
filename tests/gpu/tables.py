"""The short tables that `tests.gpu.run` prints at its end."""

from typing import Any

# Dollars an hour, of a large GPU and of one core with its memory: examples, put in your own.
GPU_PRICE = 10.0
CORE_PRICE = 0.04


def print_tables(results: dict[str, Any]) -> None:
    print()
    for part, values in results.items():
        print(f"{part}: {values.get('seconds')} s")
        if "error" in values:
            print(f"  failed: {values['error'].strip().splitlines()[-1]}")
        _PRINTERS.get(part, lambda _: None)(values)


def _print_environment(values: dict[str, Any]) -> None:
    print(f"  {values.get('device')}, {values.get('nvidia_smi')}, {values.get('libraries')}")


def _print_parity(values: dict[str, Any]) -> None:
    for name in ("bilstm", "network", "kinds"):
        for what, found in values.get(name, {}).items():
            if name == "kinds":
                found = {kind: value for kind, value in found.items() if kind.endswith("weights")}
            print(f"  {name}, {what}: " + ", ".join(f"{key} {_short(found[key])}" for key in found))


def _print_imdb(values: dict[str, Any]) -> None:
    for name, found in values.items():
        if name not in ("error", "seconds"):
            print(f"  {name}: {found}")


def _print_speed(values: dict[str, Any]) -> None:
    for name, found in values.items():
        if name in ("input", "embedding gradient, ms") or name.startswith("engines"):
            print(f"  {name}: " + ", ".join(f"{key} {found[key]:,.4g}" for key in found))
        if name.startswith("engines"):
            core = found["cpu"] / found["cores of the cpu"]
            print(
                f"  {name}: the GPU scores as much as {found['gpu'] / core:,.0f} cores; a million "
                f"documents cost ${_dollars(found['gpu'], GPU_PRICE):.4f} on it and "
                f"${_dollars(core, CORE_PRICE):.4f} on cores"
            )
    columns = [
        (name, contender) for name in ("train", "score") for contender in ("limelight", "torch")
    ]
    print(f"  {'documents/s':38}" + "".join(f"{' '.join(column):>17}" for column in columns))
    for cell, found in values.items():
        if "batch" in cell:
            shown = [_documents(found.get(who), name) for name, who in columns]
            print(f"  {cell:38}" + "".join(f"{value:>17}" for value in shown))


def _dollars(documents_per_second: float, price: float) -> float:
    """What a million documents cost."""
    return 1e6 / documents_per_second / 3600 * price


def _documents(found: Any, name: str) -> str:
    speed = found.get(name) if isinstance(found, dict) else found
    if isinstance(speed, dict):
        return f"{speed['documents']:,.0f}"
    return "-" if speed is None else "failed"


def _short(value: Any) -> str:
    return f"{value:.1e}" if isinstance(value, float) else str(value)


_PRINTERS = {
    "environment": _print_environment,
    "parity": _print_parity,
    "imdb": _print_imdb,
    "speed": _print_speed,
}
