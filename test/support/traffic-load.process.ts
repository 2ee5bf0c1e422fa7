/** The process of TrafficLoad: sends each request at its time, whatever became of those before, and reports every end. */
import { setTimeout as pause } from 'node:timers/promises';
import type { LoadCommand, LoadNews, LoadOrder } from './traffic-load.ts';
import { monotonic, REQUEST_KINDS, type RequestKind, type Sample, type WebSocketClose } from './traffic-report.ts';
import { TrafficRequests } from './traffic-requests.ts';
import { TrafficWebSocket } from './traffic-web-sockets.ts';

const NEWS_EVERY_MS = 50;

let stopping = false;
let samples: Sample[] = [];
let closes: WebSocketClose[] = [];

process.on('message', (command: LoadCommand) => {
  if (command === 'stop') stopping = true;
  else void run(command.start);
});
// Whoever wanted the results is gone.
process.on('disconnect', () => process.exit());

async function run(order: LoadOrder): Promise<void> {
  const requests = new TrafficRequests(order);
  const sink = {
    sample: (sample: Sample) => void samples.push(sample),
    closed: (close: WebSocketClose) => void closes.push(close),
  };
  const sockets = Array.from(
    { length: order.websockets },
    (_, index) => new TrafficWebSocket(order, `#${index}`, sink),
  );
  const news = setInterval(() => report(), NEWS_EVERY_MS);
  for (const socket of sockets) socket.start();

  const open = new Set<Promise<void>>();
  const next = inTurns(order.mix);
  const began = monotonic();
  for (let count = 0; !stopping; count++) {
    const due = began + (count * 1_000) / order.requests_per_second;
    const early = due - monotonic();
    if (early > 0) await pause(early);
    const asked: Promise<void> = requests.ask(next(), due).then((sample) => {
      samples.push(sample);
      open.delete(asked);
    });
    open.add(asked);
  }
  await Promise.all([...open, ...sockets.map((socket) => socket.stop())]);

  clearInterval(news);
  requests.close();
  report(() => process.exit());
}

/** The kinds spread as evenly as their shares allow, in the same order in every run. */
function inTurns(mix: LoadOrder['mix']): () => RequestKind {
  const shares = REQUEST_KINDS.map((kind) => ({ kind, share: mix[kind] ?? 0, credit: 0 }));
  const sum = shares.reduce((total, { share }) => total + share, 0);
  return () => {
    for (const entry of shares) entry.credit += entry.share;
    const richest = shares.reduce((best, entry) => (entry.credit > best.credit ? entry : best));
    richest.credit -= sum;
    return richest.kind;
  };
}

/** @param sent called when these are the last news, and have left */
function report(sent?: () => void): void {
  const news: LoadNews = { samples, closes, ended: sent !== undefined };
  samples = [];
  closes = [];
  process.send?.(news, () => sent?.());
}
