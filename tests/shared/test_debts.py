"""The laws of debts, asked of a real MongoDB."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from gyrus.shared import debts
from gyrus.shared.store import AFTER, Store
from gyrus.shared.topology import MAX_TRIES

STAGE = "classify"
Document = dict[str, Any]


@pytest.fixture
def debtor(store: Store) -> "Debtor":
    return Debtor(store)


class Debtor:
    """One document, and what may be done to its debt."""

    def __init__(self, store: Store) -> None:
        self.collection = store["studies"]

    async def change(self, condition: Document, update: Any) -> Document | None:
        """The document afterwards; None where the condition does not hold."""
        found: Document | None = await self.collection.find_one_and_update({"_id": "c/1", **condition}, update, return_document=AFTER)
        return found

    async def owe(self, **how: Any) -> Document:
        await self.collection.update_one({"_id": "c/1"}, debts.owe(STAGE, **how), upsert=True)
        return await self.debt()

    async def pay(self, n: int) -> bool:
        return await self.change(debts.unmoved(STAGE, n), debts.paid(STAGE)) is not None

    async def fail(self, times: int = 1, retry_s: float = 1) -> Document:
        for number in range(times):
            await self.change(debts.is_owed(STAGE), debts.failed(STAGE, retry_s, f"the error {number}", "do $this"))
        return await self.document()

    async def lease(self, seconds: float) -> bool:
        return await self.change(*debts.lease(STAGE, seconds)) is not None

    async def ago(self, moment: str, seconds: float) -> None:
        """Time passed: a moment of the debt lies so far back."""
        await self.change({}, [{"$set": {f"owed.{STAGE}.{moment}": {"$subtract": ["$$NOW", round(seconds * 1000)]}}}])

    async def document(self) -> Document:
        return await self.collection.find_one({"_id": "c/1"}) or {}

    async def debt(self) -> Document:
        return dict((await self.document())["owed"][STAGE])


async def test_each_owing_counts_one_and_the_first_one_dates_it(debtor: Debtor) -> None:
    seen = [await debtor.owe() for _ in range(4)]

    assert [debt["n"] - seen[0]["n"] for debt in seen] == [0, 1, 2, 3]
    assert {debt["since"] for debt in seen} == {seen[0]["since"]}


async def test_many_who_owe_at_once_are_all_counted(debtor: Debtor) -> None:
    before = (await debtor.owe())["n"]

    await asyncio.gather(*(debtor.owe() for _ in range(20)))

    assert (await debtor.debt())["n"] == before + 20


async def test_what_was_owed_anew_meanwhile_is_not_paid_by_the_older_work(debtor: Debtor) -> None:
    read = (await debtor.owe())["n"]
    owed = await debtor.owe()

    assert not await debtor.pay(read)
    assert await debtor.debt() == owed


async def test_paying_clears_the_debt_and_keeps_its_number(debtor: Debtor) -> None:
    n = (await debtor.owe(quiet_s=1, cap_s=2, job="j"))["n"]
    await debtor.lease(10)

    assert await debtor.pay(n)
    assert await debtor.debt() == {"n": n, "tries": 0}
    assert not debts.owes(await debtor.document(), STAGE)
    assert not await debtor.pay(n), "what is not owed cannot be paid again"


async def test_the_number_never_goes_back(debtor: Debtor) -> None:
    numbers = [(await debtor.owe())["n"]]
    await debtor.pay(numbers[-1])
    numbers.append((await debtor.owe())["n"])
    await debtor.fail(MAX_TRIES)
    numbers.append((await debtor.debt())["n"])
    numbers.append((await debtor.owe())["n"])

    assert [number - numbers[0] for number in numbers] == [0, 1, 1, 2]


async def test_the_number_does_not_begin_again_when_a_document_is_deleted_and_comes_again(debtor: Debtor) -> None:
    former = [(await debtor.owe())["n"] for _ in range(5)][-1]
    await debtor.collection.delete_one({"_id": "c/1"})
    await asyncio.sleep(0.01)  # a document is deleted and made again in two writes, each at least a millisecond

    assert (await debtor.owe())["n"] > former
    assert not await debtor.pay(former)


async def test_the_fifth_error_is_a_failure_and_ends_the_debt(debtor: Debtor) -> None:
    await debtor.owe()

    before = await debtor.fail(MAX_TRIES - 1)
    after = await debtor.fail()

    assert debts.owes(before, STAGE) and "failure" not in before
    assert before["owed"][STAGE]["tries"] == MAX_TRIES - 1
    assert not debts.owes(after, STAGE)
    assert after["owed"][STAGE] == {"n": before["owed"][STAGE]["n"], "tries": MAX_TRIES}
    at = after["failure"].pop("at")
    assert at >= before["owed"][STAGE]["since"]
    assert after["failure"] == {"stage": STAGE, "error": "the error 0", "advice": "do $this"}


async def test_owing_again_forgets_the_failure_and_its_tries(debtor: Debtor) -> None:
    first = await debtor.owe()
    await debtor.fail(MAX_TRIES)

    debt = await debtor.owe()

    assert debt == {"n": first["n"] + 1, "tries": 0, "since": debt["since"]}
    assert "failure" not in await debtor.document()


async def test_paying_forgets_the_tries(debtor: Debtor) -> None:
    n = (await debtor.owe())["n"]
    await debtor.fail(3)

    await debtor.pay(n)

    assert (await debtor.debt())["tries"] == 0


async def test_it_is_due_after_quiet_but_not_later_than_the_cap(debtor: Debtor) -> None:
    first = await debtor.owe(quiet_s=10, cap_s=60)
    await debtor.ago("since", seconds=30)
    second = await debtor.owe(quiet_s=10, cap_s=60)
    await debtor.ago("since", seconds=55)
    third = await debtor.owe(quiet_s=10, cap_s=60)

    assert first["due"] - first["since"] == timedelta(seconds=10)
    assert timedelta(seconds=40) <= second["due"] - second["since"] < timedelta(seconds=50)
    assert third["due"] - third["since"] == timedelta(seconds=60)


async def test_after_an_error_a_debt_without_a_bell_is_due_later_each_time(debtor: Debtor, store: Store) -> None:
    await debtor.owe(cap_s=0.001)
    await debtor.lease(100)

    delays = []
    for _ in range(3):
        before = await store.now()
        debt = (await debtor.fail(retry_s=100))["owed"][STAGE]
        delays.append((debt["due"] - before).total_seconds())

    assert "lease" not in debt
    assert delays == pytest.approx([100, 200, 300], abs=20)


async def test_a_debt_with_a_bell_gets_no_date_from_an_error(debtor: Debtor) -> None:
    await debtor.owe()

    assert "due" not in (await debtor.fail())["owed"][STAGE]


async def test_everybody_who_waits_for_a_debt_is_named_once(debtor: Debtor) -> None:
    for job in ("b", "a", "b"):
        debt = await debtor.owe(job=job)

    assert debt["jobs"] == ["a", "b"]


async def test_of_many_takers_one_gets_the_lease_until_it_is_over(debtor: Debtor) -> None:
    await debtor.owe()

    taken = await asyncio.gather(*(debtor.lease(60) for _ in range(5)))
    early = await debtor.lease(60)
    await debtor.ago("lease", seconds=0)
    late = await debtor.lease(60)

    assert sum(taken) == 1
    assert not early
    assert late


async def test_what_is_not_owed_cannot_be_leased(debtor: Debtor) -> None:
    await debtor.pay((await debtor.owe())["n"])

    assert not await debtor.lease(1)


async def test_a_debt_of_one_stage_is_none_of_another(debtor: Debtor) -> None:
    await debtor.owe()

    assert await debtor.change(debts.is_owed("settle"), {"$set": {"x": 1}}) is None
    assert not debts.owes(await debtor.document(), "settle")
    assert not debts.owes(None, STAGE)
