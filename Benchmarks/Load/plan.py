"""What a run of the benchmarks is to do, and with what."""

from dataclasses import dataclass

from report import Report
from servers import Yard


@dataclass(frozen=True)
class Plan:
    """`rounds` of `seconds` for each server under load, `calls` a target on the miss path, `idle` open connections."""

    yard: Yard
    report: Report
    has_refrain: bool
    has_litellm: bool
    rounds: int
    seconds: float
    calls: int
    idle: int
