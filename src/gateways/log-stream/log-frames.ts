/** Entries as WebSocket frames, built once for all clients that get the same and joined so that one write sends many. */
import { decodeCursor, type StreamPosition } from '../../domain/cursor.js';
import type { DeploymentStatus } from '../../domain/phases.js';
import type { StreamEntry } from '../../modules/logs/index.js';
import { endsDeployment, type Selection } from './log-filter.js';

/** Frames that follow each other; `end` is the place after the last of them. */
export interface FramePart {
  readonly bytes: Buffer;
  readonly texts: readonly string[];
  readonly end: StreamPosition;
}

/** A part is closed when it has grown to this size. */
const PART_BYTES = 128 * 1024;
const FINAL_TEXT = 0x81;

const entryFrames = new WeakMap<StreamEntry, Buffer>();

/** What a client with this selection gets of the entries. `ends` adds the notice after the entry that ends a deployment. */
export function frameParts(entries: Iterable<StreamEntry>, selection: Selection, ends: boolean): FramePart[] {
  const parts: FramePart[] = [];
  let frames: Buffer[] = [];
  let texts: string[] = [];
  let size = 0;
  let last: StreamEntry | undefined;
  const close = (): void => {
    if (last === undefined) return;
    const [first = Buffer.alloc(0)] = frames;
    const bytes = frames.length === 1 ? first : Buffer.concat(frames, size);
    parts.push({ bytes, texts, end: decodeCursor(last.row.cursor) });
    [frames, texts, size, last] = [[], [], 0, undefined];
  };
  const add = (text: string, frame: Buffer): void => {
    frames.push(frame);
    texts.push(text);
    size += frame.length;
  };
  for (const entry of entries) {
    const { row, json } = entry;
    if (selection.matches(row)) add(json, frameOf(entry));
    if (ends && endsDeployment(row) && selection.covers(row)) {
      const notice = JSON.stringify(endNotice(row.deployment_id, row.status));
      add(notice, textFrame(notice));
    }
    if (size > 0) last = entry;
    if (size >= PART_BYTES) close();
  }
  close();
  return parts;
}

export function endNotice(deployment_id: string, status: DeploymentStatus): object {
  return { type: 'end', deployment_id, status };
}

/** One whole, unmasked text frame (RFC 6455 §5.2), byte for byte what `ws` would send. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const headerLength = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headerLength + length);
  frame[0] = FINAL_TEXT;
  if (headerLength === 2) {
    frame[1] = length;
  } else if (headerLength === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, headerLength);
  return frame;
}

function frameOf(entry: StreamEntry): Buffer {
  const known = entryFrames.get(entry);
  if (known !== undefined) return known;
  const frame = textFrame(entry.json);
  entryFrames.set(entry, frame);
  return frame;
}
