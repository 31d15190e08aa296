"""A process that works on a phone's store, says what it did, and is then killed by its test in the middle of the work.

Arguments: the store's folder, the record of a grid.
"""

import asyncio
import sys

import gridwalk as core
from town import dwelling


async def main(folder: str, area: str) -> None:
    core.uniffi_set_event_loop(asyncio.get_running_loop())
    device = await core.Device.open(core.OpenOptions(folder=folder), core.Platform())
    await device.set_network(False, False)
    number = 0
    while True:
        number += 1
        print(await device.create_record("dwelling", dwelling(area, f"{number}室")), flush=True)


asyncio.run(main(*sys.argv[1:]))
