"""Pieces of SQL over columns of text: casts, the reasons a value does not cast, what is left for `extra`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from data_lake.sources.base import PROBLEM, ROW, TEXT

Fault = tuple[str, str]  # (condition, reason), both SQL


@dataclass(frozen=True)
class Select:
    """One entity's rows: a SQL expression per column, what makes a row bad, and which rows are meant."""

    entity: str
    columns: Mapping[str, str]
    faults: Sequence[Fault] = field(default_factory=list)
    where: str = "true"
    relation: str = "{source}"  # what the columns are read from, around the source

    def sql(self, source: str, names: Collection[str], is_first: bool) -> str:
        """The query over a relation of text columns `names`; bad rows keep these as JSON text.

        A row that could not be read at all meets no condition: the first query of a table takes it.
        """
        reasons = "".join(f" when {condition} then {reason}" for condition, reason in self.faults)
        columns = ", ".join(f'{expression} as "{name}"' for name, expression in self.columns.items())
        row = "{" + ", ".join(f"'{name}': \"{name}\"" for name in names) + "}"
        unread = f"{PROBLEM} is not null" if is_first else "false"
        chosen = f"(select * from {source} where {unread} or ({PROBLEM} is null and coalesce({self.where}, false)))"
        return f"""
            with selected as (
                select {ROW}, {columns}, case when {PROBLEM} is not null then {PROBLEM}{reasons} end as _wrong,
                    {TEXT} as _original, {row} as _written
                from {self.relation.replace("{source}", chosen)}
            )
            select * exclude (_wrong, _original, _written), _wrong as {PROBLEM},
                case when _wrong is not null then coalesce(_original, to_json(_written)::varchar) end as {TEXT}
            from selected
        """


def time(column: str) -> str:
    """A moment as naive UTC; a time without a zone is UTC."""
    return f"(try_cast({column} as timestamptz) at time zone 'UTC')"


def number(column: str) -> str:
    """A finite number."""
    return f"(case when isfinite(try_cast({column} as double)) then try_cast({column} as double) end)"


def whole(column: str) -> str:
    """A whole number, also when written 5.0."""
    return f"(case when try_cast({column} as double) % 1 = 0 then try_cast({column} as bigint) end)"


def boolean(column: str) -> str:
    """True or false, as Postgres (t, f), JSON and Parquet write it."""
    return f"try_cast({column} as boolean)"


def amount(prefix: str = "") -> str:
    """An amount of money: micros are exact, else cents, else the amount as it is written."""
    return (
        f"coalesce(try_cast({prefix}amount_micros as decimal(24, 0)) / 1000000, "
        f"try_cast({prefix}amount_cents as decimal(24, 0)) / 100, "
        f"try_cast(replace({prefix}amount, ',', '') as decimal(18, 4)))::decimal(18, 4)"
    )


def money_fault(prefix: str = "") -> Fault:
    """An amount that is stated and cannot be read."""
    stated = f"coalesce({prefix}amount_micros, {prefix}amount_cents, {prefix}amount)"
    return (
        f"{stated} is not null and {amount(prefix)} is null",
        f"'amount: ''' || left({stated}, 100) || ''' is not a number'",
    )


_KINDS = {
    "time": (time, "a time"),
    "number": (number, "a number"),
    "whole": (whole, "a count"),
    "boolean": (boolean, "true or false"),
}


def faults(**columns: Sequence[str]) -> list[Fault]:
    """Faults for columns that must be a time, number, whole or boolean where they are not null."""
    listed = []
    for kind, names in columns.items():
        cast, words = _KINDS[kind]
        for name in names:
            reason = f"'{name.removeprefix('_d_')}: ''' || left({name}, 100) || ''' is not {words}'"
            listed.append((f"{name} is not null and {cast(name)} is null", reason))
    return listed


def leftover(columns: Collection[str], kept: str) -> str:
    """JSON of the columns the contract lacks, without nulls; null when none is left."""
    names = sorted(set(columns) - set(kept.split()) - {ROW, TEXT, PROBLEM})
    if not names:
        return "null::varchar"
    members = ", ".join(f"'{name}': \"{name}\"" for name in names)
    present = ", ".join(f'"{name}"' for name in names)
    without_nulls = f"json_merge_patch('{{}}', to_json({{{members}}}))::varchar"
    return f"case when coalesce({present}) is not null then {without_nulls} end"
