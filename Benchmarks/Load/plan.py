"""What a run of the benchmarks is to do, and with what."""

from dataclasses import dataclass

from processes import Server, StartFailure
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

    def litellm(self, origin: Server) -> Server | None:
        """LiteLLM if it is installed and starts: the rest of the comparison is worth having without it."""
        if not self.has_litellm:
            return None
        try:
            return self.yard.litellm(origin)
        except StartFailure as failure:
            print(f"  LiteLLM is left out: {failure}")
            return None
