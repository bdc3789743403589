import pytest

from models.errors import FileError
from models.yaml_file import MAX_CHARACTERS, read_yaml, suggest

BOMB = "\n".join(
    f"{name}: &{name} [{', '.join([f'*{inner}'] * 10)}]" if inner else f"{name}: &{name} [{', '.join(['1'] * 10)}]"
    for inner, name in [("", "a"), ("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")]
)


def test_every_field_knows_its_line() -> None:
    document = read_yaml("a: 1\nb:\n  - c: 2\n\n    d: 3\n", "f.yaml")
    assert document.data == {"a": 1, "b": [{"c": 2, "d": 3}]}
    assert [document.line(path) for path in [("a",), ("b",), ("b", 0), ("b", 0, "d")]] == [1, 2, 3, 5]


def test_a_field_that_is_not_there_stands_where_it_is_missing() -> None:
    assert read_yaml("a: 1\nb:\n  - c: 2\n", "f.yaml").line(("b", 0, "missing", 3)) == 3


def test_yes_is_a_word_and_keys_are_text_as_in_yaml_1_2() -> None:
    assert read_yaml("no: yes\n1: 012\n", "f.yaml").data == {"no": "yes", "1": 12}


def test_all_keys_that_stand_twice_are_told_at_once() -> None:
    with pytest.raises(FileError) as refused:
        read_yaml("a: 1\nb: {c: 1, c: 2}\na: 3\n", "f.yaml")
    assert [(problem.line, problem.field) for problem in refused.value.problems] == [(2, "b.c"), (3, "a")]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: [", 2, "expected the node content"),
        ("a:\n\t- b", 2, "cannot start any token"),
        ("a: *nobody", 1, "undefined alias"),
        ("a: 1\n---\nb: 2", 2, "another document"),
        ("\x00", 1, "unacceptable character"),
        ("a: " + "9" * 5000, 1, "4300 digits"),
        ("? [a]\n: 1", 1, "a key that is no text"),
        ("x: 1\na: !!python/object/apply:os.getcwd []", 2, "has the tag"),
        ("x: 1\na: !secret 1", 2, "tag"),
        ("a: &a [*a]", 1, "too large or too deep"),
        ("[" * 1000, 1, ""),
        (BOMB, 1, "too large or too deep"),
        ("#" * (MAX_CHARACTERS + 1), 1, "more than"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_cannot_be_read_is_a_problem_and_never_a_traceback(text: str, line: int, message: str) -> None:
    with pytest.raises(FileError) as refused:
        read_yaml(text, "f.yaml")
    (problem,) = refused.value.problems
    assert (problem.file, problem.line) == ("f.yaml", line)
    assert message in problem.message


def test_a_misspelt_name_is_answered_with_the_one_it_resembles() -> None:
    assert suggest("servce_level", ["asa", "service_level"]) == "write service_level"
    assert suggest("colour", ["asa", "csat"]) == "write one of asa, csat"
