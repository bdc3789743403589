"""The KPI catalogue: pure functions of measures, and the figures that records carry.

```python
CATALOGUE["asa"].estimate(flat, None, definition).value       # seconds, or None where nobody was answered
figures(flat, live, definition, mixed_basis=False)["csat"]    # the dict of a record
```
"""

from models.kpis.catalogue import CATALOGUE
from models.kpis.kpi import Better, Kpi, Perspective, Unit, unknown
from models.kpis.offered import not_applicable, of_offered
from models.kpis.quantiles import percentile
from models.kpis.sheet import figures, tell_since
from models.kpis.surveys import shown
from models.kpis.volumes import FED, FED_OR_NOT, FEED_SILENCE

__all__ = [
    "CATALOGUE",
    "FED",
    "FED_OR_NOT",
    "FEED_SILENCE",
    "Better",
    "Kpi",
    "Perspective",
    "Unit",
    "figures",
    "not_applicable",
    "of_offered",
    "percentile",
    "shown",
    "tell_since",
    "unknown",
]
