"""What of this machine and its installation matters to a training, found without starting Keras."""

from onecycle_cli.doctor.examination import examine
from onecycle_cli.doctor.finding import Finding, State

__all__ = ["Finding", "State", "examine"]
