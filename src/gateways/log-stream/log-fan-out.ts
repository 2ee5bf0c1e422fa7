/** Hands the hub's batches to all live subscribers: those with the same selection share the same bytes. */
import { Injectable } from '@nestjs/common';
import type { StreamPosition } from '../../domain/cursor.js';
import type { StreamEntry } from '../../modules/logs/index.js';
import { frameParts, type FramePart } from './log-frames.js';
import type { Selection } from './log-filter.js';

/** A batch as one group of subscribers gets it. */
export interface LiveBatch {
  /** Position of the first entry, whether the group gets it or not. */
  readonly first: number;
  readonly end: StreamPosition;
  readonly parts: readonly FramePart[];
  /** The parts for a subscriber that has the beginning of the batch already. */
  partsAfter(position: number): readonly FramePart[];
}

/** A subscriber that has caught up. */
export interface LiveSubscriber {
  readonly selection: Selection;
  receive(batch: LiveBatch): void;
}

@Injectable()
export class LogFanOut {
  private readonly groups = new Map<string, Set<LiveSubscriber>>();

  join(subscriber: LiveSubscriber): void {
    const { key } = subscriber.selection;
    const group = this.groups.get(key) ?? new Set();
    this.groups.set(key, group.add(subscriber));
  }

  leave(subscriber: LiveSubscriber): void {
    const { key } = subscriber.selection;
    const group = this.groups.get(key);
    if (group?.delete(subscriber) && group.size === 0) this.groups.delete(key);
  }

  get live(): number {
    return [...this.groups.values()].reduce((sum, group) => sum + group.size, 0);
  }

  /** `end` is the place after the batch. */
  deliver(entries: readonly StreamEntry[], end: StreamPosition): void {
    for (const group of [...this.groups.values()]) {
      const [anyone] = group;
      if (anyone === undefined) continue;
      const batch = liveBatch(entries, end, anyone.selection);
      for (const subscriber of group) subscriber.receive(batch);
    }
  }
}

function liveBatch(entries: readonly StreamEntry[], end: StreamPosition, selection: Selection): LiveBatch {
  return {
    first: entries[0]?.position ?? end.position,
    end,
    parts: frameParts(entries, selection, true),
    partsAfter: (position) =>
      frameParts(
        entries.filter((entry) => entry.position > position),
        selection,
        true,
      ),
  };
}
