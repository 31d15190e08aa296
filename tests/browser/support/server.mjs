// A real server process on a free port with an empty store of its own.

import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

/** Arguments that make the server listen on a free port of this machine and keep its data in `folder`. */
const serve = (folder) => ["serve", "--listen", "127.0.0.1:0", "--data", folder];

/** The program that an environment variable names. */
function program(variable) {
  const path = process.env[variable];
  if (!path) throw new Error(`${variable} is not set; run \`cargo xtask test browser\``);
  return path;
}

const newFolder = () => mkdtemp(join(tmpdir(), "gridwalk-browser-"));

/**
 * Has the demo play a working day with eight real phones, trouble included, and starts a server on what it leaves
 * behind. `server.began` is when the day began, and `server.day` is what the demo counted in the end.
 */
export async function startServerAfterADay() {
  const folder = await newFolder();
  const began = Date.now();
  try {
    const words = ["--once", "--json", "--trouble", "--lang", "zh", "--keep", join(folder, "day")];
    const { stdout } = await promisify(execFile)(program("GRIDWALK_DEMO"), words, { maxBuffer: 1 << 24 });
    const day = JSON.parse(stdout.trimEnd().split("\n").at(-1));
    const server = await startServer({ folder, data: join(folder, "day", "server") });
    return Object.assign(server, { began, day });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    const said = `${error.stdout ?? ""}\n${error.stderr ?? ""}`.trim().split("\n").slice(-12).join("\n");
    throw new Error(`${error.message}\n${said}`);
  }
}

/** A one-time sign-in link for the administrator, by the server's own command. */
export async function administratorLink(server) {
  const words = ["admin", "link", "--data", server.data];
  const { stdout } = await promisify(execFile)(program("GRIDWALK_SERVER"), words);
  return server.origin + stdout.trim();
}

/**
 * Starts the server that `GRIDWALK_SERVER` names and returns when it has said where it listens. Its store is in
 * `data`; by default in a new folder. `folder` is removed when the server is stopped.
 */
export async function startServer({ folder, data } = {}) {
  const path = program("GRIDWALK_SERVER");
  folder ??= await newFolder();
  data ??= folder;
  const server = new Server(spawn(path, serve(data), { stdio: ["ignore", "pipe", "pipe"] }), folder);
  server.data = data;
  try {
    const [origin] = await server.said(/http:\/\/127\.0\.0\.1:\d+/);
    server.origin = origin;
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** A running server process and all the lines it has said. */
class Server {
  lines = [];
  origin = "";
  data = "";
  #process;
  #folder;
  #listeners = new Set();
  #ended;

  constructor(process, folder) {
    this.#process = process;
    this.#folder = folder;
    this.#ended = new Promise((resolve) => {
      process.once("error", (error) => resolve(`the server could not be started: ${error.message}`));
      process.once("close", (code, signal) => resolve(`the server ended (${signal ?? code})`));
    });
    for (const stream of [process.stdout, process.stderr]) {
      createInterface({ input: stream }).on("line", (line) => this.#heard(line));
    }
  }

  /** The first match of `pattern` in a line that the server said or will say; fails when the server ends. */
  async said(pattern) {
    let listener;
    const match = new Promise((resolve) => {
      listener = (line) => {
        const found = line.match(pattern);
        if (found) resolve(found);
      };
      this.#listeners.add(listener);
      this.lines.forEach(listener);
    });
    const failure = this.#ended.then((reason) => {
      throw new Error(`${reason} before it said ${pattern}:\n${this.lines.join("\n")}`);
    });
    try {
      return await Promise.race([match, failure]);
    } finally {
      this.#listeners.delete(listener);
      failure.catch(() => {});
    }
  }

  /** Asks the server to end, waits until it has, and removes its store. */
  async stop() {
    this.#process.kill("SIGTERM");
    await this.#ended;
    await rm(this.#folder, { recursive: true, force: true });
  }

  #heard(line) {
    this.lines.push(line);
    for (const listener of this.#listeners) listener(line);
  }
}
