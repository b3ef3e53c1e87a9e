"""Names are found in every script and spelling, and words that only look alike are left alone."""

from __future__ import annotations

import pytest

from xrayview.io.deidentify.person_names import NameIndex


def is_in(name: str, text: str, *, is_patient: bool = True) -> bool:
    names = NameIndex()
    names.add(name, is_patient=is_patient)
    return names.is_in(text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Mustermann^Erika", "for MUSTERMANN2"),
        ("Secretson^Maryanne", "MaryanneSecretson"),
        ("SECRETSON MARYANNE", "Maryanne"),
        ("Secretson, Maryanne", "secretson's film"),
        ("Müller^Jörg", "MUELLER"),
        ("Mueller^Jorg", "Dr Müller"),
        ("O'Brien^Pat", "OBrien"),
        ("Ｌｉ^Ｗｕ", "li"),
        ("Иванов^Пётр", "ИВАНОВ П."),
    ],
)
def test_that_alphabetic_names_are_found_as_words(name: str, text: str) -> None:
    assert is_in(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("LI^WU", "LI WU CLINIC DEVICE"),
        ("LI^WU", "LiWu"),
        ("Li^Na", "ROOM LI2"),
        ("U^O", "U O detector"),
        ("O", "o"),
        ("O^Jin", "O JIN"),
    ],
)
def test_that_names_of_one_and_two_letters_are_found(name: str, text: str) -> None:
    assert is_in(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("王^小东", "王^小东 医院"),
        ("王^伟", "王伟医院"),
        ("王^伟", "伟・王"),
        ("王^伟", "王先生"),
        ("王^伟", "CR 王 2"),
        ("YAMADA^TAROU=山田^太郎=やまだ^たろう", "山田"),
        ("YAMADA^TAROU=山田^太郎=やまだ^たろう", "ﾔﾏﾀﾞ"),
        ("YAMADA^TAROU=山田^太郎=やまだ^たろう", "Tarou"),
        ("Hong^Gildong=洪^吉洞=홍^길동", "홍길동님"),
        ("Hong^Gildong=洪^吉洞=홍^길동", "길동병원"),
        ("Hong^Gildong=洪^吉洞=홍^길동", "Gil-dong"),
        ("김^철", "김님"),
        ("ใจดี^สมชาย", "คุณสมชาย"),
    ],
)
def test_that_names_without_spaces_between_words_are_found_as_parts(name: str, text: str) -> None:
    assert is_in(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("LI^WU", "LINEAR"),
        ("An^Max", "ANTISCATTER MAXIMUM"),
        ("Grey^Max", "GREYSCALE"),
        ("Doe^J", "J R SYSTEM"),
        ("van der Berg^Jan", "Leiter der Abteilung"),
        ("Hausarzt^Otto^^Dr", "DR System"),
        ("王^伟", "王府井"),
        ("高^明", "高压发生器"),
        ("김^철수", "김포병원"),
    ],
)
def test_that_unrelated_words_are_not_taken_for_names(name: str, text: str) -> None:
    assert not is_in(name, text)


def test_that_two_letters_of_another_person_count_only_with_the_rest_of_the_name() -> None:
    assert not is_in("Cr^Ab", "CR 85", is_patient=False)
    assert is_in("Cr^Ab", "AB CR", is_patient=False)


def test_that_a_name_in_an_undeclared_character_set_is_found_as_it_is_written() -> None:
    name = "王^小东".encode("gb18030").decode("latin-1")
    assert is_in(name, "小东 医院".encode("gb18030").decode("latin-1"))
    short = "王^丽".encode("gb18030").decode("latin-1")
    assert is_in(short, "王丽医院".encode("gb18030").decode("latin-1"))
    assert not is_in(short, "王府井".encode("gb18030").decode("latin-1"))
    japanese = "山田^太郎".encode("iso2022_jp").decode("ascii")
    assert is_in(japanese, "CR of " + "山田".encode("iso2022_jp").decode("ascii"))
