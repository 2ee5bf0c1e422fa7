/** Every request that changes something, and every one that is refused, leaves exactly one record: here it is made. */
import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { isRefusal } from '../../domain/audit-record.js';
import { DeployError } from '../../domain/errors.js';
import type { AuditActor, AuditIntent } from '../../domain/ports.js';
import { Auditor, type AuditedChange, type Told } from '../../modules/audit/index.js';
import { isChange, principalOf, RouteInventory, type AuditedAction, type Route } from '../../modules/auth/index.js';
import { sourcesOf, targetOf, textIn } from './audit-target.js';

const CLAIM = 'X-On-Behalf-Of';
const LONGEST_CLAIM = 200;
/** What a refused look at something is called: nothing would have been changed. */
const LOOK: AuditedAction = { action: 'read', targets: [] };

interface Place {
  readonly route: Route;
  readonly pattern: RegExp;
}

@Injectable()
export class AuditedRequests {
  /** Those that have their record, or will. */
  readonly #begun = new WeakSet<Request>();
  #known: readonly Place[] | undefined;

  constructor(
    private readonly auditor: Auditor,
    private readonly inventory: RouteInventory,
  ) {}

  /** @throws DeployError `unavailable`, `invalid_field` (the claim): then nothing may be changed */
  async begin(request: Request, response: Response, audited: AuditedAction): Promise<AuditedChange> {
    requireClaim(request);
    const change = await this.auditor.begin(intentOf(request, response, audited));
    this.#begun.add(request);
    return change;
  }

  /** The end of a request that was never begun: the guard refused it, or its body could not even be read. */
  async refused(request: Request, response: Response, error: DeployError): Promise<void> {
    if (this.#begun.has(request)) return;
    const place = this.#placeOf(request);
    const isChanging = isChange(request.method) && place !== undefined;
    if (!isChanging && !isRefusal(error.code)) return;
    this.#begun.add(request);
    const params = place?.pattern.exec(request.path)?.groups ?? {};
    await this.auditor.refused(intentOf(request, response, place?.route.audited ?? LOOK, params), error);
  }

  /** Express tells the route only after it has let the request in. */
  #placeOf({ method, path }: Request): Place | undefined {
    this.#known ??= this.inventory.routes().map((route) => ({ route, pattern: patternOf(route.path) }));
    const wanted = method === 'HEAD' ? 'GET' : method;
    return this.#known.find(({ route, pattern }) => route.method === wanted && pattern.test(path));
  }
}

/** What the end of a request tells on top. */
export function toldBy(request: Request, { targets }: AuditedAction, answer?: unknown): Told {
  const target = targetOf(targets, sourcesOf(request, answer));
  const plan_hash = textIn([answer], 'plan_hash') ?? textIn([request.body], 'expected_plan_hash');
  return { ...(target !== undefined && { target }), ...(plan_hash !== undefined && { plan_hash }) };
}

function intentOf(
  request: Request,
  response: Response,
  audited: AuditedAction,
  params: unknown = request.params,
): AuditIntent {
  const request_id = randomUUID();
  if (!response.headersSent) response.setHeader('X-Request-Id', request_id);
  return {
    at: new Date().toISOString(),
    actor: actorOf(request),
    action: audited.action,
    target: targetOf(audited.targets, { ...sourcesOf(request), params }) ?? request.path,
    ...(request.ip !== undefined && { address: request.ip }),
    request_id,
  };
}

function actorOf(request: Request): AuditActor {
  const principal = principalOf(request);
  if (principal === undefined) return { kind: 'anonymous', name: 'anonymous' };
  const { actor, token_id } = principal;
  const claim = token_id === undefined ? undefined : claimOf(request);
  return {
    ...actor,
    ...(token_id !== undefined && { token_id }),
    ...(claim !== undefined && { on_behalf_of: claim }),
  };
}

/** A claim that cannot be kept as it was made is not kept at all. */
function claimOf(request: Request): string | undefined {
  const sent = request.header(CLAIM);
  if (sent === undefined) return undefined;
  // Node reads headers as Latin-1, and clients write them as UTF-8.
  const claim = Buffer.from(sent, 'latin1').toString('utf8');
  return /^[^\p{C}\ufffd]+$/u.test(claim) && claim.length <= LONGEST_CLAIM ? claim : undefined;
}

function requireClaim(request: Request): void {
  if (request.header(CLAIM) === undefined || claimOf(request) !== undefined) return;
  const message = `must be 1 to ${LONGEST_CLAIM} printable characters`;
  throw new DeployError('invalid_field', `${CLAIM} ${message}.`, { fields: [{ path: CLAIM, message }] });
}

/** As Express reads a path: in any case, with or without a slash at its end. */
function patternOf(path: string): RegExp {
  const text = path.replaceAll('.', '\\.').replace(/:(\w+)/g, '(?<$1>[^/]+)');
  return new RegExp(`^${text}/?$`, 'i');
}
