"""How much a network and its wide part count in their predictions."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mix:
    """How much network and wide part count, and what that is worth on validation.

    Attributes:
        network: α of `model.wide.wide_part`.
        wide: β.
        network_loss: the mean cross-entropy of the network alone.
        loss: that of both together.
    """

    network: float
    wide: float
    network_loss: float
    loss: float

    def __str__(self) -> str:
        return (
            f"validation loss {self.network_loss:.4f} with the network alone, {self.loss:.4f} "
            f"together (network x {self.network:.2f}, wide part x {self.wide:.2f})"
        )
