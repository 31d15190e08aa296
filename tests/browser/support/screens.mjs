// What every screen must be, and how people get to one.

import assert from "node:assert/strict";

import { openPage } from "./chromium.mjs";

export const DESK = { viewport: { width: 1280, height: 800 } };
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

/** Runs `body` on a page of its own; whatever the browser complained about must be on the list of what is `meant`. */
export async function onPage(browser, origin, options, body, meant = /^$/) {
  const { page, complaints, close } = await openPage(browser, origin, options);
  try {
    await body(page);
    assert.deepEqual(
      complaints.filter((complaint) => !meant.test(complaint)),
      [],
    );
  } finally {
    await close();
  }
}

/**
 * Clicks a link or a button that leads to another page, and waits until that page has come in full. A click by itself
 * returns earlier: what is read after it may be of the old page, or of half of the new one.
 */
export async function follow(page, target) {
  const link = typeof target === "string" ? page.locator(target) : target;
  await Promise.all([page.waitForEvent("load"), link.click()]);
}

/** Signs in with a name and a password; returns when the answer is there, whichever it is. */
export async function signIn(page, origin, login, password) {
  await page.goto(`${origin}/`);
  await page.fill("input[name=login]", login);
  await page.fill("input[name=password]", password);
  await follow(page, "main button[type=submit]");
}

/** Spends a one-time link; returns when the page behind it is there. */
export async function redeem(page, link, login, password) {
  await page.goto(link);
  await page.fill("input[name=login]", login);
  await page.fill("input[name=password]", password);
  await page.fill("input[name=again]", password);
  await follow(page, "main button[type=submit]");
}

/** Nothing is wider than the screen. */
export async function fits(page) {
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  assert.ok(overflow <= 0, `${page.url()} is ${overflow} px wider than the screen`);
}

/** What a finger has to hit, if it is smaller than 44 px. Links within a sentence are left out. */
export async function smallTargets(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll("a, button, input:not([type=hidden]), select, summary, textarea")]
      .filter((element) => !element.matches(".skip") && !element.closest("dd"))
      .filter((element) => {
        const { width, height } = element.getBoundingClientRect();
        return width > 0 && height < 44;
      })
      .map((element) => element.outerHTML.slice(0, 120)),
  );
}
