from pathlib import Path

import orjson
import pytest

from models.errors import PolicyError
from models.policy_file import load, parts
from models.policy_record import MAX_BYTES, PolicyChange, decode_policy, encode_policy, policy_key
from models.policy_spec import PartnerPart, SharedPart, to_json
from tests.customs import own_kpi
from tests.engines import rule

EXAMPLE = Path(__file__).parents[2] / "models" / "example_policy.yaml"


def encoded(part: SharedPart | PartnerPart) -> bytes:
    return encode_policy(part, 1_700_000_000_000).model_dump_json().encode()


def test_what_is_decoded_is_what_was_encoded() -> None:
    shared, own = parts(load(EXAMPLE.read_text(), EXAMPLE.name))
    every: dict[str, SharedPart | PartnerPart] = {"*": shared, **own}
    for partner, part in every.items():
        revision = encode_policy(part, 0).revision
        for last, current in (("current", True), (revision, False)):
            assert decode_policy(policy_key(partner, last), encoded(part)) == PolicyChange(partner, current, revision, part)


def test_the_revision_names_the_content_and_not_the_time() -> None:
    part = PartnerPart(id="acme", name="Acme")
    assert encode_policy(part, 1).revision == encode_policy(part, 2).revision
    assert encode_policy(part, 1).revision != encode_policy(PartnerPart(id="acme", name="Acme Care"), 1).revision


@pytest.mark.parametrize("partner", ["acme", "a/b", "50 %", "Ärzte", "current"])
def test_any_partner_id_makes_a_key_that_reads_back(partner: str) -> None:
    key = policy_key(partner, "current")
    assert key.count(b"/") == 1
    assert decode_policy(key, encoded(PartnerPart(id=partner, name="x"))).partner == partner


def test_a_tombstone_says_that_the_partner_is_gone() -> None:
    assert decode_policy(b"acme/current", None) == PolicyChange("acme", current=True, revision=None, part=None)


def broken(**change: object) -> bytes:
    return orjson.dumps({**orjson.loads(encoded(PartnerPart(id="acme", name="Acme"))), **change})


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (None, b"{}", "is no key"),
        (b"acme", b"{}", "is no key"),
        (b"/current", b"{}", "is no key"),
        (b"acme/current", b"{", "Invalid JSON"),
        (b"acme/current", b"\xff", "Invalid JSON"),
        (b"acme/current", broken(format=2), "should be 1"),
        (b"acme/current", broken(part={"id": "acme"}), "Field required"),
        (b"acme/current", broken(part={"id": "acme", "name": "A", "timezone": "Mars/Olympus"}), "no time zone"),
        (b"acme/current", broken(part={"id": "acme", "name": "A", "unheard_of": 1}), "not permitted"),
        (b"delta/current", broken(), "holds the part of 'acme'"),
        (b"acme/current", broken(partner="delta"), "holds the part of 'acme'"),
        (b"acme/0123456789ab", broken(), "in revision"),
        (b"*/current", broken(partner="*", part={"rules": [to_json(rule(kpi="new_kpi"))]}), "no KPI"),
        (b"*/current", broken(partner="*", part={"kpis": [own_kpi(numerator={"count": "contact.completed"})]}), "does not come to s"),
    ],
)
def test_a_record_that_does_not_hold_is_refused_whole(key: bytes | None, value: bytes, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        decode_policy(key, value)


def test_a_shared_record_with_a_ladder_that_cannot_stand_is_refused() -> None:
    rule = {"id": "x", "kpi": "asa", "window": "15m", "direction": "above", "levels": []}
    with pytest.raises(PolicyError, match="can never fire"):
        decode_policy(b"*/current", broken(partner="*", part={"rules": [rule]}))


def test_a_part_that_no_record_holds_is_refused() -> None:
    partial = {"targets": {kpi: {"target": 0.5, "critical": 0.25} for kpi in ("service_level", "csat", "fcr_reported")}}
    queues = {f"queue-{number:04d}-{'x' * 100}": partial for number in range(2000)}
    with pytest.raises(PolicyError, match=str(MAX_BYTES)):
        encode_policy(PartnerPart.model_validate({"id": "acme", "name": "Acme", "queues": queues}), 0)
