/** How long a start takes and what a server costs that has nothing to do, against a Nest application with one route. */
import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import { comparison, type Benchmark } from './support/benchmark.ts';
import { childrenMegabytes, cpuSeconds, residentMegabytes } from './support/processes.ts';
import { BARE_NEST, FLUKEDEPLOY, startServer } from './support/server.ts';
import { temporaryFolder } from './support/stores.ts';
import { StreamClients } from './support/stream-clients.ts';

const SUBSCRIBERS = 1_000;
/** What a start leaves to do is done by then. */
const SETTLE_MS = 2_000;

export const start: Benchmark = async (scope, { quick, rounds }) => {
  const folder = await temporaryFolder(scope);
  const watchMs = quick ? 1_000 : 8_000;
  const starts = { first: [] as number[], second: [] as number[], bare: [] as number[] };
  const memory = { server: [] as number[], stores: [] as number[], subscribed: [] as number[], bare: [] as number[] };
  const cpu = { idle: [] as number[], subscribed: [] as number[] };

  for (let round = 0; round < Math.min(rounds, 3); round++) {
    await using servers = new AsyncDisposableStack();
    const environment = { DATA_DIR: join(folder, String(round)) };
    const first = await startServer(servers, FLUKEDEPLOY, environment);
    starts.first.push(first.readyAfterMs);
    await first.stop();
    const bare = await startServer(servers, BARE_NEST, {});
    starts.bare.push(bare.readyAfterMs);
    const server = await startServer(servers, FLUKEDEPLOY, environment);
    starts.second.push(server.readyAfterMs);

    await pause(SETTLE_MS);
    memory.server.push(await residentMegabytes(server.pid));
    memory.stores.push(await childrenMegabytes(server.pid));
    memory.bare.push(await residentMegabytes(bare.pid));
    cpu.idle.push(await cpuPerMinute(server.pid, watchMs));

    await StreamClients.connect(servers, server.streamUrl + '?level=info', SUBSCRIBERS);
    memory.subscribed.push(await residentMegabytes(server.pid));
    cpu.subscribed.push(await cpuPerMinute(server.pid, watchMs));
  }

  const subscribed = `with ${SUBSCRIBERS.toLocaleString('en')} subscribers`;
  return [
    comparison('Starting and waiting', 'bare Nest on Express', [
      { what: 'first start, until ready', unit: 'ms', ours: starts.first, raw: starts.bare },
      { what: 'later starts, until ready', unit: 'ms', ours: starts.second, raw: starts.bare },
      { what: 'memory of the server, idle', unit: 'MB', ours: memory.server, raw: memory.bare },
      { what: `memory of the server, ${subscribed}`, unit: 'MB', ours: memory.subscribed },
      { what: 'memory of its PostgreSQL and Redis, idle', unit: 'MB', ours: memory.stores },
      { what: 'processor time a minute of all of them, idle', unit: 's', ours: cpu.idle },
      { what: `processor time a minute of all of them, ${subscribed}`, unit: 's', ours: cpu.subscribed },
    ]),
  ];
};

async function cpuPerMinute(pid: number, watchMs: number): Promise<number> {
  const before = await cpuSeconds(pid);
  await pause(watchMs);
  return ((await cpuSeconds(pid)) - before) * (60_000 / watchMs);
}
