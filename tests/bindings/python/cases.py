"""What all tests of this folder have in common."""

import asyncio
import unittest

import gridwalk as core
from town import Town


class Case(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        # Calls from the core's own threads into Python run on this loop.
        loop = asyncio.get_running_loop()
        # UniFFI tells a loop of dropped futures in a way that asyncio's debug mode objects to.
        loop.set_debug(False)
        core.uniffi_set_event_loop(loop)
        self.town = Town.shared()

    def assertKey(self, error: core.GridwalkError, key: str) -> None:
        """The error says what it is, in words for programs and for people in both languages."""
        problem = core.problem_of(error)
        self.assertEqual(problem.key, key)
        self.assertTrue(problem.zh)
        self.assertTrue(problem.en)
