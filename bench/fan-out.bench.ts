/** One entry to many WebSocket clients, through store, hub and gateway of a real server, against `ws` alone. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Broadcast } from './baselines/broadcaster.ts';
import { startBaseline } from './support/baseline-process.ts';
import { comparison, now, quantile, type Benchmark, type Measure } from './support/benchmark.ts';
import { RedisWakeups, toEntry } from './support/built.ts';
import { Deployments, lines } from './support/deployments.ts';
import { FLUKEDEPLOY, startServer } from './support/server.ts';
import { startStores } from './support/stores.ts';
import { StreamClients, type Report } from './support/stream-clients.ts';

const CLIENTS = [200, 1_000] as const;
/** Written in batches, as the lines of a fast build are. */
const FLOOD = { deliveries: 2_000_000, batch: 500 } as const;
const PACE = { entriesPerSecond: 20, seconds: 3 } as const;

export const fanOut: Benchmark = async (scope, { quick, rounds }) => {
  const stores = await startStores(scope);
  const deployments = new Deployments(stores.database);
  const wakeups = new RedisWakeups(stores.redis('patient'), stores.redis('patient'));
  const claim = await deployments.begin('bench');
  // Before the server begins to read: no client shall get it.
  const { rows } = await deployments.append(claim, lines(1));
  const server = await startServer(scope, FLUKEDEPLOY, { ...stores.environment, DATA_DIR: join(stores.root, 'data') });
  const baseline = await startBaseline(scope, 'broadcaster.ts');

  /** Every process is told by Redis that the log has grown, as by a worker in another process. */
  const append = async (count: number): Promise<number> => {
    await deployments.append(claim, lines(count));
    const committed = now();
    await wakeups.publish('log', claim.record.id);
    return committed;
  };
  const broadcast = (times: number): void => {
    baseline.process.send({ message: rows.map(toEntry)[0] ?? {}, times } satisfies Broadcast);
  };
  const heard: number[] = [];
  wakeups.subscribe('log', () => heard.push(now()));

  const tables = [];
  for (const count of CLIENTS) {
    await using connections = new AsyncDisposableStack();
    const ours = await StreamClients.connect(connections, `${server.streamUrl}?app_name=bench`, count);
    const raw = await StreamClients.connect(connections, baseline.url, count);
    const entries = FLOOD.deliveries / count / (quick ? 10 : 1);

    const flood = { ours: [] as number[], raw: [] as number[] };
    const fromAppend: number[][] = [];
    const fromCommit: number[][] = [];
    const fromWakeUp: number[][] = [];
    const fromOrder: number[][] = [];
    for (let round = 0; round < rounds; round++) {
      flood.ours.push(
        await deliveriesPerSecond(ours, entries, async () => {
          for (let left = entries; left > 0; left -= FLOOD.batch) await append(Math.min(FLOOD.batch, left));
        }),
      );
      flood.raw.push(await deliveriesPerSecond(raw, entries, () => broadcast(entries)));

      const begun: number[] = [];
      const committed: number[] = [];
      const received = await paced(ours, async () => {
        begun.push(now());
        committed.push(await append(1));
      });
      fromAppend.push(latencies(received, begun));
      fromCommit.push(latencies(received, committed));
      fromWakeUp.push(latencies(received, heard.slice(-begun.length)));
      const ordered: number[] = [];
      const receivedRaw = await paced(raw, () => {
        ordered.push(now());
        broadcast(1);
      });
      fromOrder.push(latencies(receivedRaw, ordered));
    }

    const at = (share: number, all: number[][]): number[] => all.map((values) => quantile(values, share));
    const pair = (what: string, all: number[][], against?: number[][]): Measure[] =>
      ([50, 99] as const).map((percent) => ({
        what: `${what}: p${percent}`,
        unit: 'ms',
        ours: at(percent / 100, all),
        ...(against && { raw: at(percent / 100, against) }),
      }));
    tables.push(
      comparison(`${count.toLocaleString('en')} clients`, '`ws`, corked', [
        { what: 'deliveries in a flood', unit: '/s', ours: flood.ours, raw: flood.raw },
        ...pair('commit → client', fromCommit, fromOrder),
        ...pair('wake-up → client', fromWakeUp, fromOrder),
        ...pair('append begun → client', fromAppend),
      ]),
    );
  }
  return tables;
};

/** From the first entry's beginning to its last client. */
async function deliveriesPerSecond(
  clients: StreamClients,
  entries: number,
  send: () => void | Promise<void>,
): Promise<number> {
  const received = clients.receive(entries);
  const began = now();
  await send();
  return (entries * clients.count * 1_000) / ((await received).done - began);
}

async function paced(clients: StreamClients, send: () => void | Promise<void>): Promise<Report> {
  const entries = PACE.entriesPerSecond * PACE.seconds;
  const received = clients.receive(entries, true);
  const began = now();
  for (let entry = 0; entry < entries; entry++) {
    await pause(Math.max(0, began + (entry * 1_000) / PACE.entriesPerSecond - now()));
    await send();
  }
  return received;
}

/** Of every delivery: from the moment of its entry until its client had it. */
function latencies({ times }: Report, moments: readonly number[]): number[] {
  const clients = times.length / moments.length;
  return Array.from(times, (time, index) => time - moments[Math.floor(index / clients)]!);
}
