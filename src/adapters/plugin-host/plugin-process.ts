/** One process with the code of a plugin: started with as little as it needs, bounded in all that it may take and write. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { DeployError, type ErrorCode } from '../../domain/errors.js';
import { LIMITS } from '../../domain/limits.js';
import type { LogLevel } from '../../domain/log-entry.js';
import { LineSplitter } from '../docker/output-lines.js';
import { hostArguments } from './host-arguments.js';
import { HOST_LIMITS } from './host-limits.js';
import { MessageLines } from './message-lines.js';
import type { PluginLocation } from './plugin-location.js';
import { watchMemory } from './process-memory.js';
import { type FromPlugin, readMessage, type ToPlugin } from './protocol.js';

export interface PluginListener {
  line(level: LogLevel, text: string): void;
  /** What it throws ends the process, as its failure. */
  message(message: FromPlugin): void;
}

const COUNTED: readonly FromPlugin['type'][] = ['log', 'probed', 'report'];

export class PluginProcess {
  /** Once it is gone and all that it wrote was read. @throws DeployError unless `finish` was called before */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #lastErrors: string[] = [];
  #heapIsFull = false;
  #finished = false;
  #failure: Error | undefined;
  #entries = 0;
  #bytes = 0;

  /** @param workspace folder that it may read besides its own */
  constructor(
    private readonly plugin: PluginLocation & { readonly name: string },
    workspace: string | undefined,
    private readonly listener: PluginListener,
  ) {
    this.#child = spawn(process.execPath, hostArguments(plugin, workspace), {
      cwd: plugin.folder,
      env: {},
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
      // A process group of its own: a signal to ours, or to its own, stays there.
      detached: true,
    });
    this.ended = this.untilGone();
    this.listen();
  }

  /** Resolves when it has left our memory. */
  send(message: ToPlugin): Promise<unknown> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    // One that cannot be told any more is gone, which `ended` says.
    (this.#child.stdio[4] as Writable).write(`${JSON.stringify(message)}\n`, () => resolve(undefined));
    return promise;
  }

  /** It has answered: whatever it does now has no meaning. */
  finish(): void {
    this.#finished = true;
    this.kill();
  }

  stop(failure: Error): void {
    if (this.#finished) return;
    this.#failure ??= failure;
    this.kill();
  }

  private kill(): void {
    this.#child.kill('SIGKILL');
  }

  private async untilGone(): Promise<void> {
    const child = this.#child;
    const stopWatching =
      child.pid === undefined
        ? () => undefined
        : watchMemory(child.pid, () => this.stop(this.failure('plugin_out_of_memory')));
    const { promise: gone, resolve, reject } = Promise.withResolvers<[number | null, NodeJS.Signals | null]>();
    child.once('close', (...how) => resolve(how));
    child.once('error', (error) => reject(this.failure('plugin_crashed', `It could not be started: ${error.message}`)));
    try {
      const [exitCode, signal] = await gone;
      if (this.#finished) return;
      throw this.#failure ?? this.crash(signal ?? `exit code ${exitCode}`);
    } finally {
      stopWatching();
    }
  }

  private listen(): void {
    const [, output, errors, up, down] = this.#child.stdio;
    const messages = new MessageLines(
      HOST_LIMITS.message_bytes,
      (line) => this.take(line),
      () => this.flooded(`A message of it is longer than ${HOST_LIMITS.message_bytes} bytes.`),
    );
    this.read(up as Readable, (chunk: Buffer) => messages.write(chunk));
    this.readLines(output as Readable, (line) => this.tell('info', line));
    this.readLines(errors as Readable, (line) => {
      // V8's own words; it ends as after any other fatal error.
      this.#heapIsFull ||= line.includes('JavaScript heap out of memory');
      this.#lastErrors.push(line);
      if (this.#lastErrors.length > LIMITS.evidence_lines) this.#lastErrors.shift();
      this.tell('warn', line);
    });
    // Writing to one that is gone: `ended` tells.
    down?.on('error', () => undefined);
  }

  private readLines(stream: Readable, line: (text: string) => void): void {
    const splitter = new LineSplitter((text) => line(text.slice(0, LIMITS.unmasked_length)));
    const decoder = new TextDecoder();
    this.read(stream, (chunk) => splitter.write(decoder.decode(chunk, { stream: true })));
    stream.once('end', () => splitter.end());
  }

  private read(stream: Readable, take: (chunk: Buffer) => void): void {
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length;
      if (this.#bytes > HOST_LIMITS.written_bytes)
        this.flooded(`It wrote more than ${HOST_LIMITS.written_bytes} bytes.`);
      if (this.#failure === undefined) take(chunk);
    });
  }

  private take(line: string): void {
    if (this.#failure !== undefined || this.#finished) return;
    let message: FromPlugin;
    try {
      message = readMessage(line);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.stop(this.failure('hook_failed', 'It sent what is no message of a plugin.', reason.split('\n')));
      return;
    }
    if (COUNTED.includes(message.type)) this.count();
    this.guard(() => this.listener.message(message));
  }

  private tell(level: LogLevel, text: string): void {
    this.count();
    this.guard(() => this.listener.line(level, text));
  }

  private count(): void {
    if (++this.#entries > LIMITS.hook_entries) this.flooded(`It logged more than ${LIMITS.hook_entries} entries.`);
  }

  private guard(listen: () => void): void {
    if (this.#failure !== undefined) return;
    try {
      listen();
    } catch (error) {
      this.stop(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private flooded(message: string): void {
    this.stop(this.failure('plugin_flooded', message));
  }

  private crash(how: string): DeployError {
    return this.#heapIsFull
      ? this.failure('plugin_out_of_memory')
      : this.failure('plugin_crashed', `It ended without an answer: ${how}.`, this.#lastErrors);
  }

  private failure(code: ErrorCode, message?: string, evidence?: readonly string[]): DeployError {
    return new DeployError(code, message, { evidence, plugin: { name: this.plugin.name } });
  }
}
