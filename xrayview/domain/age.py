"""A patient's age in years: from the header's text, or from a birth date and a study date."""

from __future__ import annotations

import re
from datetime import date

from xrayview.domain.sentences import counted

UNITS_PER_YEAR = {"Y": 1.0, "M": 12.0, "W": 365.25 / 7, "D": 365.25}
"""By the first letter of the unit."""
_UNIT_NAMES = {"Y": "year", "M": "month", "W": "week", "D": "day"}
_UNITS = "YEARS|YEAR|YRS|YR|Y|MONTHS|MONTH|MTHS|MTH|MOS|MO|M|WEEKS|WEEK|WKS|WK|W|DAYS|DAY|D"
OLDEST_STATED, OLDEST_BY_DATES = 120, 110
"""Above these an age is a mistake."""
RARE_YEARS = 90
"""Ages from this on may identify a patient (HIPAA 45 CFR 164.514(b)(2)(i)(C))."""
_UNKNOWN_BIRTH_DATE = date(1900, 1, 1)
"""Stands for an unknown one in de-identified files and in many hospitals."""
_NUMBER = r"([0-9]{1,4}(?:[.,][0-9]+)?)"
_PART = re.compile(rf"\s*{_NUMBER}\s*({_UNITS})\.?\s*")
_PARTS = re.compile(rf"(?:{_PART.pattern})+")


def age_in_years(text: str) -> float | None:
    """Parse PatientAge; None where it is empty or not an age.

    Besides the format of the standard (AS, PS3.5 6.2: `041Y`, `018M`, `003W`, `010D`), files have
    `41Y`, `41 y`, `41 years`, `5Y6M`, and years without a unit (`41`, `6.5`).
    """
    letters = text.strip().upper()
    if re.fullmatch(_NUMBER, letters):
        years = _number(letters)
    elif _PARTS.fullmatch(letters):
        years = sum(
            _number(number) / UNITS_PER_YEAR[unit[0]] for number, unit in _PART.findall(letters)
        )
    else:
        return None
    return years if years <= OLDEST_STATED else None


def age_on(birth_date: str, study_date: str) -> float | None:
    """The age in years on the day of the study; None where a date is missing or implausible.

    The dates are those of DICOM (DA, PS3.5 6.2: `20240131`, in old files `2024.01.31`). The whole
    years are the completed ones, also across leap years.
    """
    born, studied = _date(birth_date), _date(study_date)
    if born is None or studied is None or studied < born or born <= _UNKNOWN_BIRTH_DATE:
        return None
    before_birthday = (studied.month, studied.day) < (born.month, born.day)
    years = studied.year - born.year - before_birthday
    since_birthday = studied.toordinal() - _birthday(born, born.year + years).toordinal()
    age = years + min(since_birthday / 366, 0.999)
    return age if age <= OLDEST_BY_DATES else None


def age_text(years: float) -> str:
    """The age for people: `41 years`, `7 months`, `12 days`."""
    if years >= 2:
        return f"{int(years)} years"
    if years >= 1 / 12:
        return counted(int(years * 12 + 1e-6), "month")
    return counted(int(years * 365.25 + 1e-6), "day")


def header_age_text(text: str) -> str:
    """PatientAge for people: `041Y` is `41 years`, `001D` is `1 day`; other forms as they are."""
    text = text.strip()
    match = re.fullmatch(r"([0-9]{1,3})([YMWD])", text.upper())
    return counted(int(match[1]), _UNIT_NAMES[match[2]]) if match else text


def _number(digits: str) -> float:
    return float(digits.replace(",", "."))


def _date(text: str) -> date | None:
    digits = re.sub(r"[.\-/]", "", text.strip())
    if not re.fullmatch(r"[0-9]{8}", digits):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def _birthday(born: date, year: int) -> date:
    try:
        return born.replace(year=year)
    except ValueError:  # 29 February
        return date(year, 3, 1)
