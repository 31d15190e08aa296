// Headless Chromium that talks to nobody but the server under test.

import { chromium } from "playwright-core";

/** Starts the Chromium that `GRIDWALK_CHROMIUM` names, with a fresh profile. */
export async function startChromium() {
  const executablePath = process.env.GRIDWALK_CHROMIUM;
  if (!executablePath) throw new Error("GRIDWALK_CHROMIUM is not set; run `cargo xtask test browser`");
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
    ],
  });
}

/**
 * Opens a page that notes what must never happen: requests to other hosts (which are also cut off), script
 * errors, and whatever the browser complains about, such as a breach of the content security policy.
 */
export async function openPage(browser, origin, options = {}) {
  const context = await browser.newContext({ locale: "zh-CN", ...options });
  const complaints = [];
  await context.route(
    (url) => url.origin !== origin,
    (route) => {
      complaints.push(`asked another host: ${route.request().url()}`);
      return route.abort();
    },
  );
  const page = await context.newPage();
  page.on("pageerror", (error) => complaints.push(`script error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`console error: ${message.text()}`);
  });
  return { page, complaints, close: () => context.close() };
}
