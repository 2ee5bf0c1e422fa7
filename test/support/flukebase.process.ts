/** The process of FlukeBaseProcess. */
import { FlukeBase } from './flukebase.ts';
import type { FlukeBaseCommand, FlukeBaseNews, FlukeBasePlace } from './flukebase-process.ts';

const flukebase = await FlukeBase.start({ keeps_requests: false });

process.on('message', (command: FlukeBaseCommand) => void obey(command).then((news) => process.send?.(news)));
process.on('disconnect', () => void flukebase.stop().finally(() => process.exit()));
process.send?.({ url: flukebase.url, token: flukebase.token, caFile: flukebase.caFile } satisfies FlukeBasePlace);

async function obey(command: FlukeBaseCommand): Promise<FlukeBaseNews> {
  if ('since' in command) return { ...count(), arrivals: arrivalsSince(command.since) };
  if ('fault' in command) flukebase.faults.order(command.fault);
  else await act(command.act);
  return { ...count(), arrivals: [] };
}

async function act(what: 'heal' | 'go_away' | 'come_back' | 'nothing'): Promise<void> {
  switch (what) {
    case 'heal':
      flukebase.faults.end();
      break;
    case 'go_away':
      await flukebase.goAway();
      break;
    case 'come_back':
      await flukebase.comeBack();
      break;
    case 'nothing':
      break;
  }
}

function count(): Pick<FlukeBaseNews, 'asked' | 'entries'> {
  return { asked: flukebase.asked, entries: flukebase.held.deliveries.size };
}

function arrivalsSince(since: number): FlukeBaseNews['arrivals'] {
  return [...flukebase.held.deployments.values()].flatMap(({ entries, arrived_at }) =>
    entries
      .map(({ timestamp }, index) => ({ written: Date.parse(timestamp), arrived: arrived_at[index]! }))
      .filter(({ arrived }) => arrived >= since),
  );
}
