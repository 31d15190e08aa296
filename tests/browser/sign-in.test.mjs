// Signing in: by one-time link, with a wrong password, with scripts switched off, in either language.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startChromium } from "./support/chromium.mjs";
import * as screens from "./support/screens.mjs";
import { DESK, PHONE, fits, follow, smallTargets } from "./support/screens.mjs";
import { startServer } from "./support/server.mjs";

const LOGIN = "管理员一号";
const PASSWORD = "made-up words for a test";
const SCREENS = ["/", "/events", "/events?state=late", "/events/none", "/phones", "/refused", "/alarms", "/audit", "/people"];

let server;
let browser;
let link;

before(
  async () => {
    server = await startServer();
    [link] = await server.said(/http:\/\/\S+\/signin\/\S+/);
    browser = await startChromium();
  },
  { timeout: 60_000 },
);

after(async () => {
  await browser?.close();
  await server?.stop();
});

const onPage = (options, body, meant) => screens.onPage(browser, server.origin, options, body, meant);
const signIn = (page, password = PASSWORD) => screens.signIn(page, server.origin, LOGIN, password);

test("the one-time link sets name and password, signs in, and then is spent", async () => {
  await onPage(DESK, async (page) => {
    await page.goto(link);
    assert.equal(await page.locator("input[type=password]").count(), 2);
    await screens.redeem(page, link, LOGIN, PASSWORD);
    assert.equal(page.url(), `${server.origin}/`);
    assert.match(await page.locator("main").innerText(), /还没有事件/);
    const [cookie] = (await page.context().cookies()).filter(({ name }) => name === "gridwalk_session");
    assert.equal(cookie.httpOnly, true);
    assert.equal(cookie.sameSite, "Strict");
  });
  await onPage(
    DESK,
    async (page) => {
      const answer = await page.goto(link);
      assert.equal(answer.status(), 410);
      assert.match(await page.locator("h1").innerText(), /链接已失效/);
    },
    /status of 410/,
  );
});

for (const [device, options] of Object.entries({ desk: DESK, phone: PHONE })) {
  test(`on a ${device}, every screen of an empty district says what to do, fits, and can be hit`, async () => {
    await onPage(
      options,
      async (page) => {
        await signIn(page);
        for (const screen of SCREENS) {
          const answer = await page.goto(server.origin + screen);
          assert.ok(answer.status() < 500, `${screen}: ${answer.status()}`);
          const words = await page.locator("main").innerText();
          assert.ok(words.length > 15, `${screen} says nothing: ${words}`);
          await fits(page);
          assert.deepEqual(await smallTargets(page), [], screen);
        }
        for (const [screen, words] of [
          ["/events", /网格员用手机上报/],
          ["/phones", /扫描登记码/],
          ["/refused", /没有被拒的修改/],
          ["/alarms", /一切正常/],
        ]) {
          await page.goto(server.origin + screen);
          assert.match(await page.locator("main").innerText(), words);
        }
      },
      /status of 404/,
    );
  });
}

test("the language is switched on the spot and stays", async () => {
  await onPage(DESK, async (page) => {
    await signIn(page);
    await page.goto(`${server.origin}/events?state=new`);
    await follow(page, "header a.tool");
    assert.equal(page.url(), `${server.origin}/events?state=new`);
    assert.equal(await page.locator("html").getAttribute("lang"), "en");
    await follow(page, "nav.nav a[href='/phones']");
    assert.match(await page.locator("h1").innerText(), /Phones/);
    await follow(page, "header a.tool");
    assert.match(await page.locator("h1").innerText(), /手机/);
  });
  await onPage({ ...DESK, locale: "en-GB" }, async (page) => {
    await page.goto(`${server.origin}/`);
    assert.match(await page.locator("h1").innerText(), /Sign in/);
  });
});

test("names are shown for a purpose only, and masked again on request", async () => {
  await onPage(PHONE, async (page) => {
    await signIn(page);
    await page.goto(`${server.origin}/phones`);
    await page.click(".names summary");
    await page.fill("input[name=purpose]", "核对失联手机");
    await follow(page, ".names button");
    assert.equal(page.url(), `${server.origin}/phones`);
    assert.match(await page.locator("footer").innerText(), /正在显示完整姓名/);
    await fits(page);
    await follow(page, "footer button");
    assert.match(await page.locator("footer").innerText(), /姓名已部分隐藏/);
  });
});

test("without scripts it works all the same, and signing out ends the session", async () => {
  await onPage({ ...DESK, javaScriptEnabled: false }, async (page) => {
    await signIn(page);
    await follow(page, "nav.nav a[href='/events']");
    assert.match(await page.locator("h1").innerText(), /事件/);
    await follow(page, "header button.tool");
    assert.match(await page.locator("main").innerText(), /安全退出/);
    await page.goto(`${server.origin}/events`);
    assert.equal(await page.locator("input[type=password]").count(), 1);
  });
});

// Last, because the account is locked afterwards.
test("a wrong password is refused without a hint, and after a few the account waits", async () => {
  await onPage(
    PHONE,
    async (page) => {
      await signIn(page, "wrong wrong wrong");
      assert.match(await page.locator("[role=alert]").innerText(), /用户名或密码不正确/);
      assert.equal(await page.inputValue("input[name=login]"), LOGIN);
      for (let attempt = 0; attempt < 4; attempt += 1) await signIn(page, "wrong wrong wrong");
      assert.match(await page.locator("[role=alert]").innerText(), /暂时锁定/);
      await fits(page);
    },
    /status of 4(01|29)/,
  );
});
