/** Keeps one server program running: adopts the process an earlier run left behind, restarts what dies, ends it in order. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { type FileHandle, open, readFile, readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { hasCode, type SystemUser } from './data-directory.js';

/** A server of our own, reachable at `url`. */
export interface PrivateServer {
  readonly url: string;
  /** Ends the server in order; rejects if its process cannot be ended. */
  stop(): Promise<void>;
}

export interface PrivateServerOptions {
  /** Where the server keeps its data; made when missing. */
  readonly directory: string;
  /** Told what a person should know: restarts, adoption, unusual places. */
  readonly log: (line: string) => void;
  /** Called once, when a server that was up cannot be brought back. */
  readonly onFatal: (error: Error) => void;
}

/** What the supervisor must know of a program. */
export interface ServerProgram {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly user?: SystemUser | undefined;
  /** The whole environment of the process, which inherits ours without it; `stalePid` is what an unfinished run left in the pid file. */
  readonly environment?: (stalePid: number | undefined) => Record<string, string>;
  /** Real path of its working directory, which no other program has: a pid that stands elsewhere is another process with the same number. */
  readonly directory: string;
  /** Written by the program itself, its pid in the first line. */
  readonly pidFile: string;
  readonly logFile: string;
  /** Rejects while the server does not answer; bounded in time. */
  readonly probe: () => Promise<void>;
  /** Sent one after the other, each with time to take effect. */
  readonly stopSignals: readonly { readonly signal: NodeJS.Signals; readonly waitMs: number }[];
}

const WATCH_EVERY_MS = 500;
const PROBE_EVERY_MS = 50;
/** Recovery after a crash reads the whole write-ahead log, which takes minutes on a slow disk. */
const READY_WITHIN_MS = 300_000;
const RESTARTS = { most: 5, withinMs: 60_000, firstDelayMs: 200 } as const;
const LONGEST_LOG_BYTES = 10 * 1024 * 1024;
const LOG_TAIL_BYTES = 2_000;

export class SupervisedChild {
  private readonly stopping = new AbortController();
  private readonly program: ServerProgram;
  private readonly options: PrivateServerOptions;
  private readonly logFile: FileHandle;
  private pid: number | undefined;
  private restarts: readonly number[] = [];
  private watching: Promise<void> = Promise.resolve();
  private stopped: Promise<void> | undefined;

  private constructor(program: ServerProgram, options: PrivateServerOptions, logFile: FileHandle) {
    this.program = program;
    this.options = options;
    this.logFile = logFile;
  }

  /** Resolves when the server answers; rejects, with the end of its log, when it cannot be brought up. */
  static async start(program: ServerProgram, options: PrivateServerOptions): Promise<SupervisedChild> {
    const logFile = await open(
      program.logFile,
      constants.O_CREAT | constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW,
      0o600,
    );
    const child = new SupervisedChild(program, options, logFile);
    try {
      await child.bringUp();
    } catch (error) {
      await logFile.close();
      throw error;
    }
    child.watching = child.watch();
    return child;
  }

  stop(): Promise<void> {
    this.stopping.abort();
    return (this.stopped ??= this.watching.then(() => this.end()).finally(() => this.logFile.close()));
  }

  private async watch(): Promise<void> {
    try {
      for (;;) {
        while (await this.runs()) {
          await this.boundLog();
          await this.pause(WATCH_EVERY_MS);
        }
        this.options.log(`${this.program.name} ended unexpectedly; restarting it`);
        await this.pauseBeforeRestart();
        await this.bringUp();
        this.options.log(`${this.program.name} answers again`);
      }
    } catch (error) {
      if (this.stopping.signal.aborted) return;
      this.options.onFatal(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private async bringUp(): Promise<void> {
    while (!(await this.adoptOrSpawn())) await this.pauseBeforeRestart();
  }

  /** True when the server answers, false when its process ended before it did. */
  private async adoptOrSpawn(): Promise<boolean> {
    const { name, directory, probe } = this.program;
    const lastPid = await this.pidInFile();
    const adopt = lastPid !== undefined && (await runsIn(lastPid, directory));
    if (adopt) this.options.log(`${name} still runs from before (pid ${String(lastPid)}); using it`);
    this.pid = adopt ? lastPid : await this.spawn(lastPid);
    const deadline = Date.now() + READY_WITHIN_MS;
    for (;;) {
      try {
        await probe();
        return true;
      } catch (error) {
        if (!(await this.runs())) return false;
        if (Date.now() > deadline)
          throw await this.failure(`runs as pid ${String(this.pid)} but does not answer`, error);
      }
      await this.pause(PROBE_EVERY_MS);
    }
  }

  /** Starts the program in a session of its own: neither Ctrl-C nor our death reaches it. */
  private async spawn(stalePid: number | undefined): Promise<number> {
    await this.boundLog();
    const { file, args, user, environment, directory } = this.program;
    const child = spawn(file, args, {
      ...user,
      ...(environment === undefined ? {} : { env: environment(stalePid) }),
      cwd: directory,
      detached: true,
      stdio: ['ignore', this.logFile.fd, this.logFile.fd],
    });
    await once(child, 'spawn');
    child.unref();
    if (child.pid === undefined) throw new Error(`${this.program.name} was started without a pid`);
    return child.pid;
  }

  private async pauseBeforeRestart(): Promise<void> {
    const now = Date.now();
    const recent = this.restarts.filter((at) => at > now - RESTARTS.withinMs);
    if (recent.length >= RESTARTS.most)
      throw await this.failure(`ended again after ${String(RESTARTS.most)} restarts within a minute`);
    this.restarts = [...recent, now];
    await this.pause(RESTARTS.firstDelayMs * 2 ** recent.length);
  }

  private async end(): Promise<void> {
    for (const { signal, waitMs } of this.program.stopSignals) {
      if (!(await this.runs())) return;
      this.send(signal);
      const deadline = Date.now() + waitMs;
      while (Date.now() < deadline) {
        if (!(await this.runs())) return;
        await delay(PROBE_EVERY_MS);
      }
    }
    throw await this.failure('does not end');
  }

  private send(signal: NodeJS.Signals): void {
    try {
      if (this.pid !== undefined) process.kill(this.pid, signal);
    } catch (error) {
      // It ended by itself in the meantime.
      if (!hasCode(error, 'ESRCH')) throw error;
    }
  }

  private async runs(): Promise<boolean> {
    return this.pid !== undefined && runsIn(this.pid, this.program.directory);
  }

  private async pidInFile(): Promise<number | undefined> {
    const text = await readFile(this.program.pidFile, 'utf8').catch(undefinedWhenNotOurs);
    const pid = Number.parseInt(text ?? '', 10);
    return pid > 0 ? pid : undefined;
  }

  private async boundLog(): Promise<void> {
    if ((await this.logFile.stat()).size > LONGEST_LOG_BYTES) await this.logFile.truncate();
  }

  private async failure(what: string, cause?: unknown): Promise<Error> {
    const { size } = await this.logFile.stat();
    const { buffer, bytesRead } = await this.logFile.read(
      Buffer.alloc(LOG_TAIL_BYTES),
      0,
      LOG_TAIL_BYTES,
      Math.max(0, size - LOG_TAIL_BYTES),
    );
    const tail = buffer.toString('utf8', 0, bytesRead).trim();
    return new Error(`${this.program.name} ${what}. The end of ${this.program.logFile}:\n${tail}`, { cause });
  }

  private pause(milliseconds: number): Promise<void> {
    return delay(milliseconds, undefined, { signal: this.stopping.signal });
  }
}

/** True when `pid` is a living process whose working directory is `directory`. */
async function runsIn(pid: number, directory: string): Promise<boolean> {
  // A process that has ended but was not yet collected by its parent has no working directory any more.
  if (process.platform === 'linux')
    return (await readlink(`/proc/${String(pid)}/cwd`).catch(undefinedWhenNotOurs)) === directory;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (hasCode(error, 'ESRCH', 'EPERM')) return false;
    throw error;
  }
}

function undefinedWhenNotOurs(error: unknown): undefined {
  if (!hasCode(error, 'ENOENT', 'ESRCH', 'EACCES')) throw error;
}
