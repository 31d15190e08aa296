// A real server process on a free port with an empty store of its own.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Arguments that make the server listen on a free port of this machine and keep its data in `folder`. */
const serve = (folder) => ["serve", "--listen", "127.0.0.1:0", "--data", folder];

/** Starts the server that `GRIDWALK_SERVER` names and returns when it has said where it listens. */
export async function startServer() {
  const program = process.env.GRIDWALK_SERVER;
  if (!program) throw new Error("GRIDWALK_SERVER is not set; run `cargo xtask test browser`");
  const folder = await mkdtemp(join(tmpdir(), "gridwalk-browser-"));
  const server = new Server(spawn(program, serve(folder), { stdio: ["ignore", "pipe", "pipe"] }), folder);
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
