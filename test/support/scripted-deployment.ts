/** A deployment that a scripted server tells of: it ends once its whole log has been read. */
import { FlukeDeployEventType as Event, type UnifiedLogEntry } from '../../src/domain/log-entry.js';
import { PHASES, type DeploymentStatus, type Phase } from '../../src/domain/phases.js';
import type { DeploymentAnswer } from '../../src/cli/answers.js';
import type { ScriptedAnswer, ScriptedRequest, ScriptedServer } from './scripted-server.js';

export const ID = 'dep-01';
export const DEPLOY = 'POST /api/v1/deploy';
export const LOGS = `GET /api/v1/deployments/${ID}/logs`;
const PAGE = 2;

export interface Line {
  readonly message: string;
  readonly phase?: Phase;
  readonly level?: UnifiedLogEntry['level'];
  readonly event_type?: Event;
}

export class ScriptedDeployment {
  /** Cursors that were asked for, in order. */
  readonly asked: string[] = [];

  constructor(
    readonly lines: readonly Line[],
    readonly outcome: Partial<DeploymentAnswer> & { readonly status: DeploymentStatus },
  ) {}

  on(server: ScriptedServer): void {
    server.answer((request) => this.answer(request));
  }

  answer({ route, query }: ScriptedRequest): ScriptedAnswer {
    if (route === DEPLOY) return { status: 202, json: this.view('pending') };
    if (route === `GET /api/v1/deployments/${ID}`) return { json: this.view() };
    if (route === LOGS) return { json: this.#page(query.get('cursor') ?? '0') };
    return { status: 404, json: { title: 'not scripted' } };
  }

  view(status?: DeploymentStatus): DeploymentAnswer {
    const ended = this.asked.some((cursor) => Number(cursor) >= this.lines.length);
    const phase = { status: 'succeeded', duration_ms: 1200 } as const;
    return {
      deployment_id: ID,
      app_name: 'web',
      environment: 'production',
      version: '1.0',
      release: 7,
      source: 'nginx:1.0',
      position: 0,
      phases: Object.fromEntries(PHASES.map((name) => [name, phase])) as DeploymentAnswer['phases'],
      actor: 'admin',
      requested_at: '2026-02-03T10:00:00.123Z',
      ...(ended ? { duration_ms: 65_000, ...this.outcome } : {}),
      status: status ?? (ended ? this.outcome.status : 'building'),
    };
  }

  /** The last entries come with the final status already, as they may. */
  #page(cursor: string): object {
    this.asked.push(cursor);
    const from = Number(cursor);
    const entries = this.lines.slice(from, from + PAGE).map((line, index) => entryOf(line, from + index + 1));
    const phases: Record<string, UnifiedLogEntry[]> = { deployment: [] };
    for (const phase of [...PHASES].reverse()) phases[phase] = [];
    for (const entry of entries) phases[entry.flukedeploy_metadata.phase ?? 'deployment']?.push(entry);
    const next = from + entries.length;
    const status = next >= this.lines.length ? this.outcome.status : 'building';
    return { deployment_id: ID, status, phases, next_cursor: String(next), has_more: entries.length === PAGE };
  }
}

export const success = () =>
  new ScriptedDeployment(
    [
      { message: 'requested', event_type: Event.DEPLOY_START },
      { message: 'Build started', phase: 'build', event_type: Event.BUILD_START },
      { message: 'Step 1/1', phase: 'build' },
      { message: 'careful', phase: 'deploy', level: 'warn' },
      { message: 'web 1.0 is live', event_type: Event.DEPLOY_COMPLETE },
    ],
    { status: 'success', image: 'sha256:abc' },
  );
/** How the command line tells its log. */
export const SUCCESS_LINES = [
  '[deployment] requested',
  '[build] Build started',
  '[build] Step 1/1',
  '[deploy] warn: careful',
  '[deployment] web 1.0 is live',
];

export function entryOf({ message, phase, level = 'info', event_type }: Line, sequence: number): UnifiedLogEntry {
  return {
    '@context': 'https://flukebase.me/schemas/unified-log',
    '@type': 'UnifiedLogEntry',
    id: `${ID}-log-00${sequence}`,
    timestamp: '2026-02-03T10:00:00.123Z',
    level,
    message,
    source: { system: 'flukedeploy', component: phase ?? 'deployment', instance: 'test' },
    flukedeploy_metadata: {
      deployment_id: ID,
      app_name: 'web',
      environment: 'production',
      status: 'building',
      sequence,
      cursor: String(sequence),
      ...(phase && { phase }),
      ...(event_type && { event_type }),
    },
  };
}
