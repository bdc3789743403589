"""The policy of the benchmarks: that of `outwatch init`, its definitions and rules unchanged, for the partners of the load."""

from collections.abc import Sequence
from pathlib import Path

import models
from bench.load import PARTNERS
from models.policy_file import load
from models.policy_spec import PartnerPart, PolicyFile


def policy(windows: Sequence[str] | None = None, scopes: Sequence[str] = ()) -> PolicyFile:
    """Every partner as the example's first; with these windows alone, if any are named, and split by these scopes."""
    path = Path(models.__file__).with_name("example_policy.yaml")
    example = load(path.read_text(encoding="utf-8"), path.name)
    first = example.partners[0]
    names = [f"partner-{number:03}" for number in range(PARTNERS)]
    partners = tuple(PartnerPart(id=name, name=name, timezone=first.timezone, channels=first.channels) for name in names)
    kept = example.defaults.windows if windows is None else tuple(windows)
    shared = example.defaults.model_copy(update={"windows": kept, "scopes": tuple(scopes)})
    return example.model_copy(update={"partners": partners, "defaults": shared})
