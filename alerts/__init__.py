"""What a change means: conditions and their transitions, pure.

```python
condition = Condition(rule.id, partner, str(scope))
condition, changes = evaluate(rule, condition, sample, grid_point_ms)
records = [alert_event(rule, change, context) for change in changes]
```
"""

from alerts.aside import NOTHING, Aside
from alerts.condition import Change, ChangeKind, Condition, Phase
from alerts.errors import RowFormatError
from alerts.events import Context, alert_event, alert_state
from alerts.gate import Quality, Sample
from alerts.ids import fingerprint
from alerts.reducer import evaluate, forget, next_due_ms, retire

__all__ = [
    "NOTHING",
    "Aside",
    "Change",
    "ChangeKind",
    "Condition",
    "Context",
    "Phase",
    "Quality",
    "RowFormatError",
    "Sample",
    "alert_event",
    "alert_state",
    "evaluate",
    "fingerprint",
    "forget",
    "next_due_ms",
    "retire",
]
