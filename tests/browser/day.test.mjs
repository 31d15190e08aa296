// The console after a working day: real phones have filled the store, and some of it went wrong.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startChromium } from "./support/chromium.mjs";
import * as screens from "./support/screens.mjs";
import { DESK, PHONE, fits, follow, smallTargets } from "./support/screens.mjs";
import { administratorLink, startServerAfterADay } from "./support/server.mjs";

const LOGIN = "管理员一号";
const PASSWORD = "made-up words for a test";
// The dispatcher that the demo makes up.
const CENTRE = ["centre", "虚构的密码-一二三四五六"];
const EVENTS_ON_A_PAGE = 50;

let server;
let browser;
let signedIn;
/** Paths of the case that was closed, and of one whose photo is still on its phone. */
let closed;
let unfinished;
let person;

before(
  async () => {
    server = await startServerAfterADay();
    browser = await startChromium();
    const link = await administratorLink(server);
    await screens.onPage(browser, server.origin, DESK, async (page) => {
      await screens.redeem(page, link, LOGIN, PASSWORD);
      signedIn = await page.context().storageState();
      await page.goto(`${server.origin}/events?state=over`);
      closed = await page.locator("a.row").first().getAttribute("href");
      await page.goto(`${server.origin}/events`);
      unfinished = await page.locator("a.row").first().getAttribute("href");
      await page.goto(`${server.origin}/people`);
      person = await page.locator("a.row").nth(1).getAttribute("href");
    });
  },
  { timeout: 600_000 },
);

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Runs `body` as the administrator, in a language. */
function asAdministrator(options, lang, body, meant) {
  const state = { ...signedIn, cookies: [...signedIn.cookies] };
  const { hostname } = new URL(server.origin);
  const cookie = { name: "gridwalk_lang", value: lang, domain: hostname, path: "/", sameSite: "Strict" };
  state.cookies.push({ ...cookie, expires: -1, httpOnly: true, secure: false });
  return screens.onPage(browser, server.origin, { ...options, storageState: state }, body, meant);
}

const words = (page) => page.locator("main").innerText();

for (const [device, options] of Object.entries({ desk: DESK, phone: PHONE })) {
  for (const lang of ["zh", "en"]) {
    test(`on a ${device} in ${lang}, every screen of a full store fits and can be hit`, async () => {
      const paths = ["/", "/events", "/events?state=over", closed, unfinished, "/phones", "/people", person];
      await asAdministrator(options, lang, async (page) => {
        for (const path of [...paths, "/refused", "/alarms", "/audit", `/audit?of=${person.split("/").at(-1)}`]) {
          const answer = await page.goto(server.origin + path);
          assert.equal(answer.status(), 200, path);
          assert.match(await page.locator("html").getAttribute("lang"), new RegExp(`^${lang}`));
          await fits(page);
          assert.deepEqual(await smallTargets(page), [], path);
          const shown = await words(page);
          assert.ok(!/undefined|None|Some\(|\{\{/.test(shown), `${path}: ${shown}`);
        }
      });
    });
  }
}

test("the list shows what was reported, page by page and by state", async () => {
  await asAdministrator(PHONE, "zh", async (page) => {
    await page.goto(`${server.origin}/events`);
    const rows = page.locator("a.row");
    assert.equal(await rows.count(), EVENTS_ON_A_PAGE);
    const first = await rows.first().innerText();
    for (const part of [/已上报/, /虚构路 91 号/, /井盖/, /网格/, /还剩/]) assert.match(first, part);
    const seen = new Set(await rows.evaluateAll((all) => all.map((row) => row.getAttribute("href"))));
    await follow(page, "text=更早的事件");
    for (const href of await rows.evaluateAll((all) => all.map((row) => row.getAttribute("href")))) {
      assert.ok(!seen.has(href), "no event stands on two pages");
      seen.add(href);
    }
    assert.equal(seen.size, server.day.events);
    assert.equal(await page.locator("text=更早的事件").count(), 0, "there is no third page");
    await follow(page, "text=回到最新");
    assert.equal(await rows.count(), EVENTS_ON_A_PAGE);
    await follow(page, ".chips >> text=已办结");
    assert.deepEqual(await rows.evaluateAll((all) => all.map((row) => row.getAttribute("href"))), [closed]);
    await follow(page, ".chips >> text=已挂账");
    assert.match(await words(page), /没有“已挂账”的事件/);
  });
});

for (const [lang, said] of Object.entries({
  zh: { state: "已结案", acts: ["结案", "核查通过", "处置完成", "签收", "派遣", "受理", "上报"], photo: "处置前" },
  en: { state: "Closed", acts: ["Close", "Verify", "Rectified", "Sign for", "Dispatch", "Accept", "Report"], photo: "Before" },
})) {
  test(`one event in ${lang}: its state, its photo, and its story with times of the district`, async () => {
    await asAdministrator(PHONE, lang, async (page) => {
      await page.goto(server.origin + closed);
      assert.equal(await page.locator(".marks .badge").innerText(), said.state);
      const acts = await page.locator(".story .act-line strong").allInnerTexts();
      assert.deepEqual(acts, said.acts);
      assert.equal(await page.locator(".story .by", { hasText: "******" }).count(), said.acts.length, "masked");
      for (const text of await page.locator(".story .act-line .at").allInnerTexts()) {
        const at = inDistrict(text, lang);
        assert.ok(at >= server.began - 60_000 && at <= Date.now(), `${text} is not of this day in China`);
      }
      assert.match(await page.locator(".group h3").first().innerText(), new RegExp(said.photo));
      const photo = page.locator("figure img").first();
      await photo.scrollIntoViewIfNeeded();
      const width = await photo.evaluate(async (image) => {
        await image.decode();
        return image.naturalWidth;
      });
      assert.ok(width > 200, `the preview is ${width} px wide`);
      const full = await page.locator("figure a").first().getAttribute("href");
      const answer = await page.goto(server.origin + full);
      assert.equal(answer.headers()["content-type"], "image/jpeg");
      assert.ok((await answer.body()).length > 50_000);
    });
  });
}

/** A time as the console shows it, which is eight hours ahead of UTC, as milliseconds. */
function inDistrict(text, lang) {
  const year = new Date(Date.now() + 8 * 3_600_000).getUTCFullYear();
  const found =
    lang === "zh" ? text.match(/^(\d+)月(\d+)日 (\d\d):(\d\d)$/) : text.match(/^(\d+) (\w+) (\d\d):(\d\d)$/);
  assert.ok(found, text);
  const [, one, two, hour, minute] = found;
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const [month, day] = lang === "zh" ? [one - 1, two] : [months.indexOf(two), one];
  return Date.UTC(year, month, day, hour - 8, minute);
}

test("a photo that is not through is said to be on its phone", async () => {
  await asAdministrator(PHONE, "zh", async (page) => {
    await page.goto(server.origin + unfinished);
    assert.match(await words(page), /照片还在手机上，联网后会自动传来/);
    assert.equal(await page.locator("figure img").count(), 0);
  });
});

for (const [lang, said] of Object.entries({
  zh: [/共 9 部/, /上次联系\s*(刚刚|\d+ 分钟前)/, /1 个文件没传完/, /被拒修改\s*查看/, /备用手机/],
  en: [/9 in all/, /Last contact\s*(just now|\d+ minutes? ago)/, /1 files? still coming/, /Refused\s*Look/, /备用手机/],
})) {
  test(`the phones in ${lang}: last contact, what waits, what was refused`, async () => {
    await asAdministrator(PHONE, lang, async (page) => {
      await page.goto(`${server.origin}/phones`);
      assert.equal(await page.locator("li.phone").count(), 9);
      for (const part of said) assert.match(await words(page), part);
    });
  });
}

test("a refused change says why, in both languages, and is ticked off", async () => {
  await asAdministrator(PHONE, "en", async (page) => {
    await page.goto(`${server.origin}/refused`);
    assert.match(await words(page), /Outside this person's area[\s\S]*Dwelling: /);
  });
  await asAdministrator(PHONE, "zh", async (page) => {
    await page.goto(`${server.origin}/refused`);
    assert.match(await words(page), /不在此人的负责范围内[\s\S]*实有房屋：[\s\S]*张\*+ · W03/);
    assert.ok(!(await words(page)).includes("9999"), "labels, never values");
    await follow(page, "text=标为已查看");
    assert.equal(page.url(), `${server.origin}/refused`);
    assert.match(await words(page), /已查看[\s\S]*管理员/);
    assert.equal(await page.locator("text=标为已查看").count(), 0);
  });
});

test("an alarm says what to do, and is ticked off", async () => {
  await asAdministrator(PHONE, "en", async (page) => {
    await page.goto(`${server.origin}/alarms`);
    assert.match(await words(page), /1 not looked at yet[\s\S]*An enrolment code was used by a second phone/);
  });
  await asAdministrator(PHONE, "zh", async (page) => {
    const tile = page.locator("a.tile[href='/alarms'] .count");
    await page.goto(`${server.origin}/`);
    assert.equal(await tile.innerText(), "1");
    await page.goto(`${server.origin}/alarms`);
    assert.match(await words(page), /登记码被另一部手机再次使用[\s\S]*怎么办：[\s\S]*王\*+/);
    await follow(page, "text=标为已查看");
    assert.match(await words(page), /所有警报都已查看[\s\S]*已查看/);
    await page.goto(`${server.origin}/`);
    assert.equal(await tile.innerText(), "0");
  });
});

test("a gridworker is added on a phone, gets a grid and a code, which is shown once", async () => {
  await asAdministrator(PHONE, "zh", async (page) => {
    await page.goto(`${server.origin}/people`);
    await page.click("summary:has-text('新增人员')");
    await page.fill("form.card input[name=name]", "郑小新（虚构）");
    const code = await page.locator("datalist option").last().getAttribute("value");
    await page.fill("form.card input[name=area]", code);
    await fits(page);
    assert.deepEqual(await smallTargets(page), []);
    await follow(page, "form.card button[type=submit]");
    assert.match(await words(page), /已新增[\s\S]*网格员/);
    assert.equal(await page.locator("button:has-text('收回')").count(), 1);
    await follow(page, "button:has-text('生成手机登记码')");
    const shown = await page.locator(".secret-text").innerText();
    assert.match(shown, /^[\w-]{27}$/);
    assert.match(await words(page), new RegExp(`服务器地址：${server.origin}[\\s\\S]*有效期至`));
    await fits(page);
    await page.goto(page.url().replace(/\/code$/, ""));
    assert.ok(!(await page.content()).includes(shown));
    await follow(page, "button:has-text('收回')");
    assert.match(await words(page), /已保存[\s\S]*没有网格时/);
  });
});

for (const [lang, said] of Object.entries({
  zh: { kinds: ["敏感信息", "查看", "登录", "人员和手机", "办理", "系统"], older: "更早的记录", newest: "查看操作记录" },
  en: { kinds: ["Sensitive", "Views", "Sign-ins", "People and phones", "Handling", "System"], older: "Earlier", newest: "Looked at this log" },
})) {
  test(`who did what in ${lang}: in words, by kind, page by page`, async () => {
    await asAdministrator(PHONE, lang, async (page) => {
      await page.goto(`${server.origin}/alarms`);
      await follow(page, "main a[href='/audit']");
      const rows = page.locator(".row.entry");
      assert.match(await rows.first().innerText(), new RegExp(said.newest));
      assert.equal(await rows.count(), 50);
      const numbers = () => rows.evaluateAll((all) => all.map((row) => Number(row.id.slice(3))));
      const first = await numbers();
      await follow(page, `.pages >> text=${said.older}`);
      const both = [...first, ...(await numbers())];
      assert.deepEqual(both, [...new Set(both)].sort((a, b) => b - a), "newest first, none twice");
      for (const kind of said.kinds) {
        await follow(page, page.locator(".chips a", { hasText: new RegExp(`^${kind}$`) }));
        const shown = await words(page);
        assert.ok((await rows.count()) > 0, `${kind}: ${shown}`);
        assert.ok(!/\b[a-z]+\.[a-z_]+\b/.test(shown), `${kind}: the log's own words are shown: ${shown}`);
        assert.ok(!/（虚构）/.test(await rows.locator(".e-who a").allInnerTexts().then(String)), "names are masked");
      }
    });
  });
}

test("what one person did is found from their page", async () => {
  await asAdministrator(PHONE, "zh", async (page) => {
    await page.goto(server.origin + person);
    const name = await page.locator("h1").innerText();
    await follow(page, "main a[href^='/audit?of=']");
    assert.ok((await words(page)).includes(`只看有关的记录：${name}`), await words(page));
    assert.match(await page.locator(".row.entry").first().innerText(), /查看操作记录|查看人员/);
    await fits(page);
    await follow(page, ".notice.only a");
    assert.equal(await page.locator(".notice.only").count(), 0);
  });
});

test("roles are changed after saying what that means, and never those of the last administrator", async () => {
  await asAdministrator(
    PHONE,
    "zh",
    async (page) => {
      await page.goto(server.origin + person);
      await page.click("summary:has-text('调整岗位')");
      await page.check("details[open] input[name=grid_leader]");
      assert.deepEqual(await smallTargets(page), []);
      await follow(page, "details[open] button");
      assert.match(await page.locator("form.secret").innerText(), /增加[\s\S]*网格长[\s\S]*带领一个社区的网格/);
      await fits(page);
      assert.deepEqual(await smallTargets(page), []);
      await follow(page, "text=确认调整");
      assert.match(await words(page), /已保存[\s\S]*网格员、网格长/);
      await page.goto(`${server.origin}/audit?kind=people`);
      assert.match(await page.locator(".row.entry").first().innerText(), /调整岗位[\s\S]*网格员、网格长/);

      await page.goto(`${server.origin}/people?name=${encodeURIComponent("管理员")}`);
      const rows = page.locator("a.row", { hasText: "管理员" });
      assert.equal(await rows.count(), 1);
      await follow(page, rows);
      await page.click("summary:has-text('调整岗位')");
      await page.check("details[open] input[name=auditor]");
      await page.uncheck("details[open] input[name=administrator]");
      await follow(page, "details[open] button");
      assert.match(await words(page), /最后一位管理员，没有保存/);
    },
    /status of 422/,
  );
});

test("a lost phone is locked, after a second thought", async () => {
  await asAdministrator(PHONE, "zh", async (page) => {
    await page.goto(server.origin + person);
    const spare = page.locator(".held li", { hasText: "备用手机" });
    await spare.locator("summary").click();
    await fits(page);
    assert.deepEqual(await smallTargets(page), []);
    await follow(page, spare.locator("button"));
    assert.match(await words(page), /已保存/);
    assert.match(await spare.innerText(), /已停用/);
    await page.goto(`${server.origin}/phones`);
    assert.match(await page.locator("li.phone", { hasText: "备用手机" }).innerText(), /已停用/);
  });
});

test("a dispatcher takes a case on a phone: the state changes before their eyes", async () => {
  await screens.onPage(browser, server.origin, PHONE, async (page) => {
    await screens.signIn(page, server.origin, ...CENTRE);
    assert.equal(await page.locator("nav.nav a[href='/people']").count(), 0, "not a dispatcher's screen");
    await page.goto(server.origin + unfinished);
    await follow(page, "button[value=accept]");
    assert.match(await words(page), /已保存：受理[\s\S]*已受理/);
    await page.click("summary:has-text('派遣')");
    await page.selectOption("details[open] select[name=unit]", { label: "市政维护队（虚构）" });
    await follow(page, "details[open] button[type=submit]");
    assert.match(await words(page), /已保存：派遣[\s\S]*已派遣/);
    assert.deepEqual(await page.locator(".story .act-line strong").allInnerTexts(), ["派遣", "受理", "上报"]);
    await fits(page);
  });
});

test("without signing in nobody sees an event, a photo, or anything else", async () => {
  await screens.onPage(browser, server.origin, DESK, async (page) => {
    for (const path of ["/events", closed, "/phones", "/people", person, "/refused", "/alarms", "/audit"]) {
      await page.goto(server.origin + path);
      assert.equal(page.url(), `${server.origin}/`, path);
      assert.equal(await page.locator("input[type=password]").count(), 1, path);
    }
    const photo = await page.request.get(`${server.origin}${closed}/photos/00/preview`, { maxRedirects: 0 });
    assert.equal(photo.status(), 303);
  });
});
