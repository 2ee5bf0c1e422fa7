/** `flukedeploy agents`, `approvals`, `approve`, `reject` and `token create`: what agents may do, and the people who say so. */
import type { AgentsAnswer, ApprovalAnswer } from './answers.js';
import type { TokenBody } from './api.js';
import type { CommandContext } from './command-context.js';
import { EXIT } from './failures.js';
import { administrator } from './login.command.js';
import type { PasswordOptions } from './password.js';
import { printable } from './printable.js';
import { shortTime, table, underBold } from './table.js';
import type { Paint } from './terminal.js';

export interface AdminOptions extends PasswordOptions {
  readonly json?: boolean;
}

export interface FreezeOptions extends AdminOptions {
  readonly reason: string;
  readonly cancelRunning?: boolean;
}

export interface TokenOptions extends AdminOptions {
  readonly operator?: boolean;
  readonly scope?: readonly string[];
  readonly app?: readonly string[];
  readonly agent?: string;
  readonly environment?: readonly string[];
  readonly maxReplicas?: number;
  readonly strategy?: readonly string[];
  readonly deploysPerHour?: number;
  readonly approvalIn?: readonly string[];
  readonly approvalByElicitation?: boolean;
  readonly expiresInDays?: number;
}

export async function agents(context: CommandContext, options: AdminOptions): Promise<number> {
  const { terminal } = context;
  const answer = await (await administrator(context, options)).agents();
  if (options.json) terminal.json(answer);
  else terminal.print(agentLines(answer, terminal.paint));
  return EXIT.success;
}

export async function freeze(context: CommandContext, options: FreezeOptions): Promise<number> {
  const { terminal } = context;
  const { reason, cancelRunning } = options;
  const api = await administrator(context, options);
  const answer = await api.freezeAgents({ reason, ...(cancelRunning && { cancel_running: true }) });
  if (options.json) terminal.json(answer);
  else terminal.print(['All agents are frozen.', ...answer.cancelled.map((id) => `Cancelling ${printable(id)}`)]);
  return EXIT.success;
}

export async function unfreeze(context: CommandContext, options: AdminOptions): Promise<number> {
  await (await administrator(context, options)).unfreezeAgents();
  if (options.json) context.terminal.json({ frozen: false });
  else context.terminal.print(['Agents may do again what their tokens allow.']);
  return EXIT.success;
}

export async function approvals(
  context: CommandContext,
  options: AdminOptions & { readonly status?: string },
): Promise<number> {
  const { terminal } = context;
  const answer = await (await administrator(context, options)).approvals(options.status);
  if (options.json) terminal.json(answer);
  else terminal.print(approvalLines(answer.approvals, terminal.paint));
  return EXIT.success;
}

export async function decide(
  context: CommandContext,
  word: 'approve' | 'reject',
  id: string,
  options: AdminOptions & { readonly reason?: string },
): Promise<number> {
  const { terminal } = context;
  const { reason } = options;
  const answer = await (
    await administrator(context, options)
  ).decide(id, word, { ...(reason !== undefined && { reason }) });
  if (options.json) terminal.json(answer);
  else terminal.print(approvalLines([answer], terminal.paint));
  return EXIT.success;
}

/** The token alone goes to standard output, so that a script can keep it. */
export async function createToken(context: CommandContext, name: string, options: TokenOptions): Promise<number> {
  const { terminal } = context;
  const answer = await (await administrator(context, options)).createToken(tokenBody(name, options));
  if (options.json) {
    terminal.json(answer);
    return EXIT.success;
  }
  terminal.print([printable(answer.token)]);
  const end = answer.expires_at === undefined ? '' : ` It expires ${shortTime(answer.expires_at)}.`;
  terminal.note(`Token ${printable(answer.id)}: it cannot be shown again.${end}`);
  return EXIT.success;
}

function tokenBody(name: string, options: TokenOptions): TokenBody {
  const { operator, scope, app, agent, environment, maxReplicas, strategy, deploysPerHour, approvalIn } = options;
  const { approvalByElicitation } = options;
  return {
    name,
    ...(operator && { persona: 'operator' }),
    ...(scope && { scopes: scope }),
    ...(app && { apps: app }),
    ...(agent !== undefined && { agent }),
    ...(environment && { environments: environment }),
    ...(maxReplicas !== undefined && { max_replicas: maxReplicas }),
    ...(strategy && { strategies: strategy }),
    ...(deploysPerHour !== undefined && { deploys_per_hour: deploysPerHour }),
    ...((approvalIn ?? approvalByElicitation) && {
      approval: {
        ...(approvalIn && { environments: approvalIn }),
        ...(approvalByElicitation && { by_elicitation: true }),
      },
    }),
    ...(options.expiresInDays !== undefined && { expires_in_days: options.expiresInDays }),
  };
}

function agentLines({ agents: all, frozen }: AgentsAnswer, paint: Paint): string[] {
  const rows = all.map(({ agent, tokens, last_used_at, deployments_24h }) => [
    agent,
    String(tokens.length),
    last_used_at === undefined ? '–' : shortTime(last_used_at),
    String(deployments_24h),
  ]);
  const state =
    frozen && `Frozen by ${printable(frozen.by.name)} at ${shortTime(frozen.at)}: ${printable(frozen.reason)}`;
  return [
    ...(state === undefined ? [] : [paint('red', state)]),
    ...underBold(table(['AGENT', 'TOKENS', 'LAST USED', 'DEPLOYMENTS 24H'], rows), paint),
  ];
}

function approvalLines(all: readonly ApprovalAnswer[], paint: Paint): string[] {
  const rows = all.map(({ approval_id, status, kind, app_name, environment, actor, agent, expires_at, summary }) => [
    approval_id,
    status,
    `${kind} ${app_name}/${environment}`,
    agent ?? actor,
    shortTime(expires_at),
    summary,
  ]);
  return underBold(table(['APPROVAL', 'STATUS', 'WHAT', 'BY', 'EXPIRES', 'SUMMARY'], rows), paint);
}
