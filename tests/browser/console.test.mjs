// The console as an officer meets it first: not signed in, on a desk and on a phone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openPage, startChromium } from "./support/chromium.mjs";
import { startServer } from "./support/server.mjs";

const DESK = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

let server;
let browser;

before(
  async () => {
    // One after the other: were the server to fail, nothing would be left to close a browser started beside it.
    server = await startServer();
    browser = await startChromium();
  },
  { timeout: 60_000 },
);

after(async () => {
  await browser?.close();
  await server?.stop();
});

for (const [device, options] of Object.entries({ desk: DESK, phone: PHONE })) {
  test(`on a ${device}, whoever is not signed in is asked to, in Chinese, and sees nothing else`, async () => {
    const { page, complaints, close } = await openPage(browser, server.origin, options);
    try {
      const answer = await page.goto(`${server.origin}/`);
      assert.ok(answer.status() < 500, `status ${answer.status()}`);
      assert.match(await page.locator("html").getAttribute("lang"), /^zh/);
      assert.equal(await page.locator("input[type=password]").count(), 1);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      assert.ok(overflow <= 0, `the page is ${overflow} px wider than the screen`);
      assert.deepEqual(complaints, []);
    } finally {
      await close();
    }
  });
}
