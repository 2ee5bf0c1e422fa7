/** The process of FlukeBaseProcess. */
import { FlukeBase } from './flukebase.ts';
import type { FlukeBaseCommand, FlukeBaseNews, FlukeBasePlace } from './flukebase-process.ts';

const flukebase = await FlukeBase.start({ keeps_requests: false });

process.on('message', (command: FlukeBaseCommand) => void obey(command).then(() => process.send?.(news())));
process.on('disconnect', () => void flukebase.stop().finally(() => process.exit()));
process.send?.({ url: flukebase.url, token: flukebase.token, caFile: flukebase.caFile } satisfies FlukeBasePlace);

async function obey(command: FlukeBaseCommand): Promise<void> {
  switch (command) {
    case 'tell':
      break;
    case 'go_away':
      await flukebase.goAway();
      break;
    case 'come_back':
      await flukebase.comeBack();
      break;
    case 'heal':
      flukebase.faults.end();
      break;
    default:
      flukebase.faults.order(command);
  }
}

function news(): FlukeBaseNews {
  const latencies_ms: number[] = [];
  for (const { entries, arrived_at } of flukebase.held.deployments.values()) {
    for (const [index, { timestamp }] of entries.entries()) {
      latencies_ms.push(arrived_at[index]! - Date.parse(timestamp));
    }
  }
  return { asked: flukebase.asked, latencies_ms };
}
