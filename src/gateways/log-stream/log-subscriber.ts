/** One client's subscription: fed from the store until it has caught up, then live, and back again when it falls behind. */
import { setTimeout as delay } from 'node:timers/promises';
import { decodeCursor, encodeCursor, type StreamPosition } from '../../domain/cursor.js';
import type { DeploymentStatus } from '../../domain/phases.js';
import type { LogPage } from '../../domain/ports.js';
import { streamEntry, type LogHub } from '../../modules/logs/index.js';
import type { LiveBatch, LiveSubscriber, LogFanOut } from './log-fan-out.js';
import { endsDeployment, type Selection } from './log-filter.js';
import { endNotice, frameParts } from './log-frames.js';
import type { LogReplay } from './log-replay.js';
import { errorMessage, StreamError } from './stream-error.js';
import type { StreamSocket } from './stream-socket.js';

/** What all subscriptions of the process share. */
export interface LogSources {
  readonly hub: LogHub;
  readonly replay: LogReplay;
  readonly fanOut: LogFanOut;
}

const RETRY_MS = { first: 250, longest: 5_000 } as const;

export class LogSubscriber implements LiveSubscriber {
  private over = false;
  /** Final status of the one deployment that is followed, to be told once everything before it was. */
  private ended: DeploymentStatus | undefined;

  /** Begins after `place`; `announceLive` sends the `live` notice once the past has been replayed. */
  constructor(
    readonly selection: Selection,
    private readonly socket: StreamSocket,
    private readonly sources: LogSources,
    private place: StreamPosition,
    private announceLive: boolean,
  ) {}

  start(): void {
    if (this.followsOne) void this.begin();
    else if (this.isCaughtUp) this.goLive();
    else void this.catchUp();
  }

  stop(): void {
    this.over = true;
    this.sources.fanOut.leave(this);
  }

  /** Called while live. What has no place in the client's buffer, or does not join on to what it has, comes from the store. */
  receive(batch: LiveBatch): void {
    const { epoch, position } = this.place;
    if (epoch !== batch.end.epoch || batch.first > position + 1) {
      this.fallBehind();
      return;
    }
    if (batch.end.position <= position) return;
    for (const part of position < batch.first ? batch.parts : batch.partsAfter(position)) {
      if (!this.socket.hasRoom) {
        this.fallBehind();
        return;
      }
      this.socket.write(part);
      this.place = part.end;
    }
    this.place = batch.end;
  }

  private hasStopped(): boolean {
    return this.over;
  }

  private get followsOne(): boolean {
    return this.selection.filter.deployment_id !== undefined;
  }

  private get isCaughtUp(): boolean {
    const { epoch, position } = this.sources.hub.place;
    return this.place.epoch === epoch && this.place.position >= position;
  }

  /** The status is read before the entries, so that the last entry is among them when the status is final. */
  private async begin(): Promise<void> {
    this.ended = await this.answered(() => this.sources.replay.finalStatus(this.selection));
    await this.catchUp();
  }

  private fallBehind(): void {
    this.sources.fanOut.leave(this);
    void this.catchUp();
  }

  private async catchUp(): Promise<void> {
    while (await this.socket.drained()) {
      const page = await this.answered(() => this.sources.replay.page(this.place, this.selection));
      if (page === undefined) return;
      this.take(page);
      if (this.isCaughtUp) {
        this.goLive();
        return;
      }
    }
  }

  /** Sends as much of the page as there is room for; the rest is read again later instead of being kept. */
  private take({ rows, gap, next_cursor }: LogPage): void {
    if (gap) {
      const reason = this.place.epoch === decodeCursor(gap.to).epoch ? 'retention' : 'epoch_changed';
      this.socket.send({ type: 'gap', reason, ...gap });
    }
    if (this.followsOne) this.ended = rows.findLast(endsDeployment)?.status ?? this.ended;
    const wanted = rows.filter((row) => this.selection.matches(row) || endsDeployment(row));
    for (const part of frameParts(wanted.map(streamEntry), this.selection, !this.followsOne)) {
      this.socket.write(part);
      this.place = part.end;
      if (!this.socket.hasRoom) return;
    }
    this.place = decodeCursor(next_cursor);
  }

  private goLive(): void {
    if (this.announceLive) this.socket.send({ type: 'live', cursor: encodeCursor(this.place) });
    this.announceLive = false;
    const { deployment_id } = this.selection.filter;
    if (deployment_id !== undefined && this.ended) this.socket.send(endNotice(deployment_id, this.ended));
    this.ended = undefined;
    this.sources.fanOut.join(this);
  }

  /** Asks until the store answers, and tells the client once that it waits. `undefined` also when nobody waits any more. */
  private async answered<Answer>(ask: () => Promise<Answer>): Promise<Answer | undefined> {
    for (let failures = 0; !this.hasStopped(); failures++) {
      try {
        const answer = await ask();
        return this.hasStopped() ? undefined : answer;
      } catch {
        // The hub reads the same store and logs why it does not answer.
        if (failures === 0) this.socket.send(errorMessage(new StreamError('unavailable')));
        await delay(Math.min(RETRY_MS.first * 2 ** failures, RETRY_MS.longest), undefined, { ref: false });
      }
    }
    return undefined;
  }
}
