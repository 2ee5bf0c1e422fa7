/** A client of a running server, as a script would be one. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { UnifiedLogEntry } from '../../src/domain/log-entry.js';
import type { DeploymentView } from '../../src/modules/deployments/deployment.view.js';
import { assertValidEntry } from './log-assertions.js';
import { ADMIN_PASSWORD } from './server-process.js';

export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

const FINAL = ['success', 'failed', 'rolled_back', 'cancelled'];

export class Client {
  private constructor(
    private readonly url: () => string,
    readonly token: string,
  ) {}

  /** `url` is asked at each call: a restarted server listens on another port. */
  static async logIn(url: () => string): Promise<Client> {
    const response = await fetch(`${url()}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ password: ADMIN_PASSWORD }),
    });
    const { token } = (await response.json()) as { token: string };
    return new Client(url, token);
  }

  withToken(token: string): Client {
    return new Client(this.url, token);
  }

  /** The same, at another process. */
  at(url: string): Client {
    return new Client(() => url, this.token);
  }

  async request<Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<Body>> {
    const form = body instanceof FormData;
    const response = await fetch(this.url() + path, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body === undefined || form ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: form || typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: (text ? JSON.parse(text) : {}) as Body };
  }

  /** Asks for a deployment and answers it; anything but 202 is an error that shows the problem. */
  async deploy(spec: Record<string, unknown>, archive?: Uint8Array): Promise<DeploymentView> {
    const answer = await this.request<DeploymentView>('POST', '/api/v1/deploy', archive ? form(spec, archive) : spec);
    if (answer.status !== 202) throw new Error(`deploy was refused: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async status(id: string, waitSeconds = 0): Promise<DeploymentView> {
    return (await this.request<DeploymentView>('GET', `/api/v1/deployments/${id}?wait_seconds=${waitSeconds}`)).body;
  }

  /** The deployment once `reached` holds for it; a server that is away for a moment is waited for. */
  async until(id: string, reached: (view: DeploymentView) => boolean, timeoutMs = 90_000): Promise<DeploymentView> {
    const until = Date.now() + timeoutMs;
    let seen: DeploymentView | undefined;
    while (Date.now() < until) {
      // Looking often, not long-polling: between two long-polls a short phase could pass unseen.
      seen = await this.status(id).catch(() => undefined);
      if (seen?.phases && reached(seen)) return seen;
      if (seen?.phases && FINAL.includes(seen.status)) break;
      await sleep(50);
    }
    throw new Error(
      `${id} did not get there: ${JSON.stringify(seen, undefined, 1)}\n${(await this.messages(id)).join('\n')}`,
    );
  }

  /** The deployment at its end. Every entry of every deployment that is waited for is checked on the way. */
  async ended(id: string, timeoutMs?: number): Promise<DeploymentView> {
    const view = await this.until(id, ({ status }) => FINAL.includes(status), timeoutMs);
    for (const entry of await this.entries(id)) await assertValidEntry(entry);
    return view;
  }

  /** The failed deployment once its rollback has succeeded. */
  async rolledBack(id: string): Promise<DeploymentView> {
    const deadline = Date.now() + 60_000;
    while (Date.now() < deadline) {
      const view = await this.status(id);
      if (view.status === 'rolled_back') return view;
      await sleep(50);
    }
    throw new Error(`${id} was not rolled back\n${(await this.messages(id)).join('\n')}`);
  }

  /** Asks for it and waits for its end. */
  async run(spec: Record<string, unknown>, archive?: Uint8Array): Promise<DeploymentView> {
    return this.ended((await this.deploy(spec, archive)).deployment_id);
  }

  /** Asks for it and waits for its success; anything else is an error that shows the log. */
  async succeed(spec: Record<string, unknown>, archive?: Uint8Array): Promise<DeploymentView> {
    const view = await this.run(spec, archive);
    if (view.status === 'success') return view;
    throw new Error(`${view.deployment_id} is ${view.status}\n${(await this.messages(view.deployment_id)).join('\n')}`);
  }

  /** Every entry of the deployment, in order. */
  async entries(id: string): Promise<UnifiedLogEntry[]> {
    const { body } = await this.request<{ phases: Record<string, UnifiedLogEntry[]> }>(
      'GET',
      `/api/v1/deployments/${id}/logs?limit=10000`,
    );
    return Object.values(body.phases)
      .flat()
      .sort((a, b) => a.flukedeploy_metadata.sequence - b.flukedeploy_metadata.sequence);
  }

  async messages(id: string): Promise<string[]> {
    const entries = await this.entries(id).catch(() => []);
    return entries.map(({ level, message, flukedeploy_metadata: { phase } }) => `${level} ${phase ?? '-'} ${message}`);
  }
}

export function form(spec: unknown, archive: Uint8Array): FormData {
  const data = new FormData();
  data.set('spec', typeof spec === 'string' ? spec : JSON.stringify(spec));
  data.set('source', new Blob([archive]), 'source.tar');
  return data;
}
