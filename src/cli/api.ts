/** The routes of the server that the command line uses. */
import { LIMITS } from '../domain/limits.js';
import type { ChainLink, ChainVerdict } from '../domain/audit-chain.js';
import type { LogLevel } from '../domain/log-entry.js';
import type { Phase } from '../domain/phases.js';
import type {
  AppsAnswer,
  AuditAnswer,
  BackfilledAnswer,
  DeadLettersAnswer,
  DeploymentAnswer,
  EntriesAnswer,
  HistoryAnswer,
  AgentsAnswer,
  ApprovalAnswer,
  ApprovalsAnswer,
  FlukeBaseAnswer,
  FlukeBaseCheckAnswer,
  FrozenAnswer,
  LogsAnswer,
  PluginsAnswer,
  ReleasesAnswer,
  TokenAnswer,
  ValidationAnswer,
} from './answers.js';
import type { DeployBody } from './deploy-body.js';
import { multipart } from './multipart.js';
import type { Transport } from './transport.js';

/** What can be asked for of an app that is live. */
export type AppChange = 'rollback' | 'scale' | 'restart';
/** What a validation tries out. */
export interface Tried {
  readonly run_tests?: boolean;
  readonly run_security_scan?: boolean;
}
export type RolloutWord = 'promote' | 'pause' | 'resume' | 'abort';

/** What a token is to be; the server knows the defaults. */
export interface TokenBody {
  readonly name: string;
  readonly persona?: 'operator';
  readonly scopes?: readonly string[];
  readonly apps?: readonly string[];
  readonly agent?: string;
  readonly environments?: readonly string[];
  readonly max_replicas?: number;
  readonly strategies?: readonly string[];
  readonly deploys_per_hour?: number;
  readonly approval?: { readonly environments?: readonly string[]; readonly by_elicitation?: boolean };
  readonly expires_in_days?: number;
}

export interface EntryFilter {
  readonly phase?: Phase;
  /** This level and above. */
  readonly level?: LogLevel;
}

export interface AuditFilter {
  readonly actor?: string;
  readonly agent?: string;
  readonly action?: string;
  readonly target?: string;
  readonly outcome?: string;
  /** ISO 8601. */
  readonly since?: string;
  readonly until?: string;
}

/** About twenty seconds: a server that is restarted is back by then. */
const DEPLOY_ATTEMPTS = 8;
/** About two minutes: the deployment goes on meanwhile, and so does its log. */
const FOLLOW_ATTEMPTS = 30;
/** A page of the longest lines still fits in memory well. */
export const PAGE_ENTRIES = 500;
const PAGE_APPS = 1000;
/** A long chain takes its time. */
const VERIFY_SILENCE_MS = 600_000;

export class Api {
  constructor(private readonly transport: Transport) {}

  /** With the same key and body it is one deployment, however often it is sent. */
  deploy(
    body: DeployBody,
    archive: (() => AsyncIterable<Uint8Array>) | undefined,
    key: string,
  ): Promise<DeploymentAnswer> {
    const call = { method: 'POST', path: '/api/v1/deploy', attempts: DEPLOY_ATTEMPTS, silence_ms: 60_000 } as const;
    if (archive === undefined) {
      return this.transport.send({ ...call, headers: { 'idempotency-key': key }, json: body });
    }
    const { content_type, stream } = multipart(body, archive);
    return this.transport.send({ ...call, headers: { 'idempotency-key': key, 'content-type': content_type }, stream });
  }

  /** What would become of it; nothing is made. */
  validate(
    body: DeployBody & Tried,
    archive: (() => AsyncIterable<Uint8Array>) | undefined,
  ): Promise<ValidationAnswer> {
    // Silent while it builds and tests.
    const silence_ms = LIMITS.validation_seconds * 1000;
    const call = { method: 'POST', path: '/api/v1/validate', silence_ms } as const;
    if (archive === undefined) return this.transport.send({ ...call, json: body });
    const { content_type, stream } = multipart(body, archive);
    return this.transport.send({ ...call, headers: { 'content-type': content_type }, stream });
  }

  deployment(id: string): Promise<DeploymentAnswer> {
    return this.transport.send({ method: 'GET', path: deploymentPath(id) });
  }

  /** The same for somebody who follows it, through a restart of the server too. */
  followedDeployment(id: string): Promise<DeploymentAnswer> {
    return this.transport.send({ method: 'GET', path: deploymentPath(id), attempts: FOLLOW_ATTEMPTS });
  }

  /** The entries after the cursor; waits up to `waitSeconds` for the first one. */
  entries(id: string, filter: EntryFilter, cursor: string | undefined, waitSeconds: number): Promise<EntriesAnswer> {
    return this.transport.send({
      method: 'GET',
      path: `${deploymentPath(id)}/logs`,
      query: { ...filter, cursor, wait_seconds: waitSeconds, limit: PAGE_ENTRIES },
      attempts: FOLLOW_ATTEMPTS,
      silence_ms: waitSeconds * 1000 + 30_000,
    });
  }

  logs(query: {
    readonly app_name: string;
    readonly level?: LogLevel;
    readonly since_minutes: number;
    readonly cursor?: string;
  }): Promise<LogsAnswer> {
    return this.transport.send({ method: 'GET', path: '/api/v1/logs', query: { ...query, limit: PAGE_ENTRIES } });
  }

  cancel(id: string, reason: string | undefined): Promise<DeploymentAnswer> {
    return this.transport.send({
      method: 'POST',
      path: `${deploymentPath(id)}/cancel`,
      json: reason === undefined ? {} : { reason },
    });
  }

  history(appName: string, limit: number): Promise<HistoryAnswer> {
    const path = `${appPath(appName)}/deployments`;
    return this.transport.send({ method: 'GET', path, query: { limit } });
  }

  apps(): Promise<AppsAnswer> {
    return this.transport.send({ method: 'GET', path: '/api/v1/apps', query: { limit: PAGE_APPS } });
  }

  releases(appName: string, environment: string | undefined, limit: number): Promise<ReleasesAnswer> {
    return this.transport.send({ method: 'GET', path: `${appPath(appName)}/releases`, query: { environment, limit } });
  }

  /** With the same key and body it is one deployment, however often it is sent. */
  change(appName: string, change: AppChange, body: unknown, key: string): Promise<DeploymentAnswer> {
    const path = `${appPath(appName)}/${change}`;
    const headers = { 'idempotency-key': key };
    return this.transport.send({ method: 'POST', path, headers, json: body, attempts: DEPLOY_ATTEMPTS });
  }

  say(id: string, word: RolloutWord, body: unknown): Promise<DeploymentAnswer> {
    return this.transport.send({ method: 'POST', path: `${deploymentPath(id)}/${word}`, json: body });
  }

  plugins(): Promise<PluginsAnswer> {
    return this.transport.send({ method: 'GET', path: '/api/v1/plugins' });
  }

  audit(filter: AuditFilter, cursor: string | undefined): Promise<AuditAnswer> {
    const query = { ...filter, cursor, limit: PAGE_ENTRIES };
    return this.transport.send({ method: 'GET', path: '/api/v1/audit', query });
  }

  auditVerdict(anchor: ChainLink | undefined): Promise<ChainVerdict> {
    const query = { anchor: anchor && `${anchor.number}:${anchor.hash}` };
    return this.transport.send({ method: 'GET', path: '/api/v1/audit/verify', query, silence_ms: VERIFY_SILENCE_MS });
  }

  /** A session of the administrator; a wrong password is not tried again. */
  session(password: string): Promise<{ readonly token: string }> {
    return this.transport.send({ method: 'POST', path: '/api/v1/session', json: { password }, attempts: 1 });
  }

  createToken(order: TokenBody): Promise<TokenAnswer> {
    return this.transport.send({ method: 'POST', path: '/api/v1/tokens', json: order, attempts: 1 });
  }

  revokeToken(id: string): Promise<void> {
    return this.transport.send({ method: 'DELETE', path: `/api/v1/tokens/${encodeURIComponent(id)}`, attempts: 1 });
  }

  agents(): Promise<AgentsAnswer> {
    return this.transport.send({ method: 'GET', path: '/api/v1/agents' });
  }

  freezeAgents(body: { readonly reason: string; readonly cancel_running?: boolean }): Promise<FrozenAnswer> {
    return this.transport.send({ method: 'POST', path: '/api/v1/agents/freeze', json: body });
  }

  unfreezeAgents(): Promise<void> {
    return this.transport.send({ method: 'POST', path: '/api/v1/agents/unfreeze' });
  }

  approvals(status: string | undefined): Promise<ApprovalsAnswer> {
    return this.transport.send({ method: 'GET', path: '/api/v1/approvals', query: { status } });
  }

  /** Sent once: the second time it would be decided already. */
  decide(id: string, word: 'approve' | 'reject', body: { readonly reason?: string }): Promise<ApprovalAnswer> {
    const path = `/api/v1/approvals/${encodeURIComponent(id)}/${word}`;
    return this.transport.send({ method: 'POST', path, json: body, attempts: 1 });
  }

  flukebase(): Promise<FlukeBaseAnswer> {
    return this.transport.send({ method: 'GET', path: '/api/v1/flukebase' });
  }

  checkFlukeBase(): Promise<FlukeBaseCheckAnswer> {
    return this.transport.send({ method: 'POST', path: '/api/v1/flukebase/check' });
  }

  /** The same window again queues nothing twice. */
  backfillFlukeBase(window: {
    readonly since: string;
    readonly until: string;
    readonly cursor?: string;
  }): Promise<BackfilledAnswer> {
    return this.transport.send({ method: 'POST', path: '/api/v1/flukebase/backfill', json: window });
  }

  deadLetters(limit: number, before: string | undefined): Promise<DeadLettersAnswer> {
    return this.transport.send({ method: 'GET', path: deadLetterPath(), query: { limit, before } });
  }

  /** Sent once, as discarding: the second time there would be none. */
  replayDeadLetter(id: string): Promise<void> {
    return this.transport.send({ method: 'POST', path: `${deadLetterPath(id)}/replay`, attempts: 1 });
  }

  discardDeadLetter(id: string): Promise<void> {
    return this.transport.send({ method: 'DELETE', path: deadLetterPath(id), attempts: 1 });
  }
}

function deadLetterPath(id?: string): string {
  return `/api/v1/flukebase/dead-letters${id === undefined ? '' : `/${encodeURIComponent(id)}`}`;
}

function appPath(name: string): string {
  return `/api/v1/apps/${encodeURIComponent(name)}`;
}

function deploymentPath(id: string): string {
  return `/api/v1/deployments/${encodeURIComponent(id)}`;
}
