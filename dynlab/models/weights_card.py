"""What a recording's card says of a local model's weights, whatever engine runs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dynlab.models.checksums import sha256
from dynlab.models.hub_weights import is_of_hub, origin
from dynlab.models.weights import named, weights_file


def weights_card(model: str, beside: Path | None = None) -> dict[str, Any]:
    """Name, file, SHA-256 and licence, and of weights of the hub the commit; `beside` is an
    adapter, whose name the model then has.

    Raises:
        InputError: As `weights_file`.
    """
    path, known = weights_file(model), named(model)
    # a path of this machine is nobody else's business
    shown = model if known or is_of_hub(model) else f"local/{(beside or path).name}"
    return {
        "model": shown,
        "weights": path.name,
        "weights_sha256": sha256(path),
        "weights_license": known.license if known else None,
        **({"weights_origin": origin(model)} if is_of_hub(model) else {}),
    }
