from models.policy_file import load
from models.policy_spec import PolicyFile
from models.settings import Settings
from models.topics import partition_of
from streams.policies import Applied, Write, plan
from streams.policy_history import Stored

SETTINGS = Settings(partitions=4)
AT_MS = 1_700_000_000_000


def policy(*partners: str, settle: int = 5) -> PolicyFile:
    named = "\n".join(f"  - {{id: {partner}, name: {partner.title()}}}" for partner in partners)
    return load(f"version: 1\ndefaults: {{settle_seconds: {settle}}}\npartners:\n{named}", "p.yaml")


def written(writes: list[Write], stored: Stored | None = None) -> dict[tuple[int, bytes], bytes]:
    after = dict(stored or {})
    for each in writes:
        if each.value is None:
            del after[each.partition, each.key]
        else:
            after[each.partition, each.key] = each.value
    return after


def test_what_is_shared_goes_to_every_partition_and_a_partner_to_its_own() -> None:
    writes, applied = plan(policy("acme", "delta"), {}, SETTINGS, AT_MS)
    places = {(each.partition, each.key) for each in writes if each.key.endswith(b"/current")}
    shared = {(partition, b"*/current") for partition in range(4)}
    assert places == shared | {(partition_of(partner, 4), f"{partner}/current".encode()) for partner in ("acme", "delta")}
    assert list(applied.changed) == ["*", "acme", "delta"]
    for partner, revision in applied.changed.items():
        assert {each.value for each in writes if each.key == f"{partner}/{revision}".encode()} == {
            each.value for each in writes if each.key == f"{partner}/current".encode()
        }


def test_what_is_shared_comes_first() -> None:
    writes, _ = plan(policy("acme"), {}, SETTINGS, AT_MS)
    assert [each.key[:1] for each in writes] == [b"*"] * 8 + [b"a"] * 2


def test_the_same_policy_again_writes_nothing() -> None:
    stored = written(plan(policy("acme"), {}, SETTINGS, AT_MS)[0])
    assert plan(policy("acme"), stored, SETTINGS, AT_MS + 1) == ([], Applied({}, ["*", "acme"], []))


def test_only_what_changed_is_written() -> None:
    stored = written(plan(policy("acme"), {}, SETTINGS, AT_MS)[0])
    writes, applied = plan(policy("acme", settle=6), stored, SETTINGS, AT_MS)
    assert {each.key for each in writes} == {b"*/current", f"*/{applied.changed['*']}".encode()}
    assert (list(applied.changed), applied.unchanged) == (["*"], ["acme"])


def test_a_partner_that_is_no_longer_named_gets_a_tombstone_once() -> None:
    stored = written(plan(policy("acme", "delta"), {}, SETTINGS, AT_MS)[0])
    writes, applied = plan(policy("acme"), stored, SETTINGS, AT_MS)
    assert writes == [Write(partition_of("delta", 4), b"delta/current", None)]
    assert applied.retired == ["delta"]
    again, nothing = plan(policy("acme"), written(writes, stored), SETTINGS, AT_MS)
    assert (again, nothing.retired) == ([], [])


def test_a_record_that_cannot_be_read_is_replaced() -> None:
    stored = written(plan(policy("acme"), {}, SETTINGS, AT_MS)[0])
    stored[partition_of("acme", 4), b"acme/current"] = b"not JSON"
    stored[0, b"nonsense"] = b"{}"
    writes, applied = plan(policy("acme"), stored, SETTINGS, AT_MS)
    assert ([each.key.partition(b"/")[0] for each in writes], list(applied.changed)) == ([b"acme", b"acme"], ["acme"])


def test_a_partition_that_lacks_what_is_shared_gets_it() -> None:
    stored = written(plan(policy("acme"), {}, SETTINGS, AT_MS)[0])
    del stored[2, b"*/current"]
    assert {each.partition for each in plan(policy("acme"), stored, SETTINGS, AT_MS)[0]} == {2}
