/** The plugin's end of the two pipes to the server: messages up on one, answers down on the other. */
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Call, FromPlugin, ToPlugin } from './protocol.js';

const UP = 3;
const DOWN = 4;
/** Ours, before the plugin can put others in their place. */
const { parse, stringify } = JSON;

/** Has left this process when it returns, so that a plugin that ends right after loses nothing, and one that floods has to wait. */
export function send(message: FromPlugin): void {
  writeAll(UP, Buffer.from(`${stringify(message)}\n`));
}

/** A pipe that is full makes it wait. */
export function writeAll(pipe: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length;) written += writeSync(pipe, bytes, written);
}

/** What the server says, until it has gone. */
export async function* received(): AsyncGenerator<ToPlugin> {
  let rest = '';
  const pipe = new Socket({ fd: DOWN, readable: true, writable: false });
  for await (const chunk of pipe.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield parse(line, frozen) as ToPlugin;
  }
}

function frozen(_: string, value: unknown): unknown {
  return Object.freeze(value);
}

/** The calls that only the server can answer. */
export class HostCalls {
  readonly #open = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  readonly #refused = new WeakMap<object, number>();
  #last = 0;

  /** @throws what the server throws, with its code and message */
  ask<Value>(wanted: Call['wanted']): Promise<Value> {
    const id = ++this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    this.#open.set(id, { resolve: (value) => resolve(value as Value), reject });
    try {
      send({ type: 'call', id, wanted });
    } catch (error) {
      this.#open.delete(id);
      reject(error);
    }
    return promise;
  }

  answered({ id, value }: Extract<ToPlugin, { type: 'answer' }>): void {
    this.#open.get(id)?.resolve(value);
    this.#open.delete(id);
  }

  refused({ id, ...refusal }: Extract<ToPlugin, { type: 'refusal' }>): void {
    const error = remoteError(refusal);
    this.#refused.set(error, id);
    this.#open.get(id)?.reject(error);
    this.#open.delete(id);
  }

  /** Which call the error came from, if it is one of ours. */
  idOf(error: unknown): number | undefined {
    return typeof error === 'object' && error !== null ? this.#refused.get(error) : undefined;
  }
}

export function remoteError({ message, code }: { readonly message: string; readonly code?: string }): Error {
  return Object.assign(new Error(message), code !== undefined && { code });
}
