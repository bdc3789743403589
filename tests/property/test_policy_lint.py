from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import PolicyError
from models.policy import compile_partner
from models.policy_file import lint, load, parts
from models.policy_record import decode_policy, encode_policy, policy_key

EXAMPLE = (Path(__file__).parents[2] / "models" / "example_policy.yaml").read_text().splitlines()
SHORT = [line for line in EXAMPLE if not line.lstrip().startswith("#")]

values = st.one_of(
    st.sampled_from(
        ["", "~", "true", "80", "-1", ".nan", "[]", "{}", "{id: acme}", "15m", "below", "'", "&a [*a]", "!!binary x", "2020-01-01"]
    ),
    st.text(max_size=20),
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """The example with some lines cut, doubled, moved in or given another value."""
    lines = list(SHORT)
    for at in draw(st.lists(st.integers(0, len(lines) - 1), min_size=1, max_size=4)):
        at_line = min(at, len(lines) - 1)
        key, colon, _ = lines[at_line].partition(":")
        change = draw(st.sampled_from(["cut", "double", "deeper", "value"]))
        lines[at_line : at_line + 1] = {
            "cut": [],
            "double": [lines[at_line]] * 2,
            "deeper": [f"  {lines[at_line]}"],
            "value": [f"{key}{colon} {draw(values)}"],
        }[change]
    return "\n".join(lines)


@settings(deadline=None, max_examples=60)  # reading YAML takes tens of milliseconds, more beside other tests
@given(st.one_of(damaged(), st.text(max_size=200)))
def test_any_text_is_loaded_or_refused_with_its_problems_and_never_raises_anything_else(text: str) -> None:
    problems = lint(text, "p.yaml")
    last = text.count("\n") + 1
    assert all(1 <= problem.line <= last + 1 and problem.message and problem.remedy for problem in problems)
    if any(problem.level == "error" for problem in problems):
        with pytest.raises(PolicyError) as refused:
            load(text, "p.yaml")
        assert refused.value.problems == tuple(problem for problem in problems if problem.level == "error")
        return
    shared, own = parts(load(text, "p.yaml"))
    for partner, part in own.items():
        record = encode_policy(part, 0).model_dump_json().encode()
        assert decode_policy(policy_key(partner, "current"), record).part == part
        assert compile_partner(shared, part, partner).configured
