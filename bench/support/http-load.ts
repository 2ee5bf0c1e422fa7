/** Requests one after the other over a number of connections, each timed until its last byte. */
import { Agent, get } from 'node:http';
import { now } from './benchmark.ts';

export interface Load {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly requests: number;
  readonly connections: number;
  /** False: each request opens a connection of its own. */
  readonly keepAlive?: boolean;
}

/** Answers the milliseconds of every request. @throws Error when one is not answered by 200 */
export async function load({ url, headers, requests, connections, keepAlive = true }: Load): Promise<number[]> {
  const agent = new Agent({ keepAlive, maxSockets: connections });
  const durations: number[] = [];
  let left = requests;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const began = now();
      await fetchOnce(url, headers, agent);
      durations.push(now() - began);
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  agent.destroy();
  return durations;
}

export function fetchOnce(url: string, headers: Readonly<Record<string, string>>, agent?: Agent): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const request = get(url, { headers, ...(agent && { agent }) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(chunks);
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`${url} answered ${response.statusCode}: ${body.toString()}`));
      });
    });
    request.on('error', reject);
  });
}
