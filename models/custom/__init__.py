"""KPIs of a policy's own: a numerator and a denominator over fields of events, compiled once when the policy loads.

```python
customs = compile_customs(specs)                # checked before by lint_kpis
customs.counters[ContactCompleted]              # what such an event counts
customs.kpis[0].estimate(flat, None, definition)
```
"""

from models.custom.compiled import NO_CUSTOMS, Counter, Customs, compile_customs
from models.custom.lint import lint_kpis
from models.custom.spec import Condition, KpiSpec, TermSpec

__all__ = ["NO_CUSTOMS", "Condition", "Counter", "Customs", "KpiSpec", "TermSpec", "compile_customs", "lint_kpis"]
