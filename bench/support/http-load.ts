/** Requests one after the other over a number of kept connections, each timed until its last byte. */
import { Agent, get } from 'node:http';
import { now } from './benchmark.ts';

export interface Load {
  readonly url: string;
  readonly token: string;
  readonly requests: number;
  readonly connections: number;
}

/** Answers the milliseconds of every request. @throws Error when one is not answered by 200 */
export async function load({ url, token, requests, connections }: Load): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const durations: number[] = [];
  let left = requests;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const began = now();
      await fetchOnce(url, token, agent);
      durations.push(now() - began);
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  agent.destroy();
  return durations;
}

export function fetchOnce(url: string, token: string, agent?: Agent): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const request = get(url, { headers: { authorization: `Bearer ${token}` }, ...(agent && { agent }) }, (response) => {
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
