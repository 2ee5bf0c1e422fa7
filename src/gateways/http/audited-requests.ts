/** Every request that changes something, and every one that is refused, leaves exactly one record: here it is made. */
import { Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { isRefusal, LOOK } from '../../domain/audit-record.js';
import type { DeployError } from '../../domain/errors.js';
import type { AuditIntent } from '../../domain/ports.js';
import { auditActorOf, Auditor, requestIdOf, type AuditedChange, type Told } from '../../modules/audit/index.js';
import { isChange, principalOf, RouteInventory, type AuditedAction, type Route } from '../../modules/auth/index.js';
import { sourcesOf, targetOf, textIn } from './audit-target.js';

const A_LOOK: AuditedAction = { action: LOOK, targets: [] };

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

  /** @throws DeployError `unavailable`: then nothing may be changed */
  async begin(request: Request, response: Response, audited: AuditedAction): Promise<AuditedChange> {
    const change = await this.auditor.begin(intentOf(request, response, audited));
    this.#begun.add(request);
    return change;
  }

  /** The end of a request that was never begun: the guard refused it, or its body could not even be read. */
  async refused(request: Request, response: Response, error: DeployError): Promise<void> {
    if (this.#begun.has(request)) return;
    const place = this.#placeOf(request);
    const isChanging = isChange(request.method) && place?.route.audited !== undefined;
    if (!isChanging && !isRefusal(error.code)) return;
    this.#begun.add(request);
    const params = place?.pattern.exec(request.path)?.groups ?? {};
    await this.auditor.refused(intentOf(request, response, place?.route.audited ?? A_LOOK, params), error);
  }

  /** Express tells the route only after it has let the request in. */
  #placeOf({ method, path }: Request): Place | undefined {
    this.#known ??= this.inventory.routes().map((route) => ({ route, pattern: patternOf(route.path) }));
    const wanted = method === 'HEAD' ? 'GET' : method;
    return this.#known.find(({ route, pattern }) => route.method === wanted && pattern.test(path));
  }
}

/** What the end of a request tells on top. */
export function toldBy(request: Request, { targets }: AuditedAction, answer?: unknown): Omit<Told, 'approval_id'> {
  const target = targetOf(targets, sourcesOf(request, answer));
  const plan_hash = textIn([answer], 'plan_hash') ?? textIn([request.body], 'expected_plan_hash');
  return { ...(target !== undefined && { target }), ...(plan_hash !== undefined && { plan_hash }) };
}

/** The same of its success. What acts on a deployment or an approval that is there, by its id, was not allowed by the one in the answer. */
export function toldByEnd(request: Request, audited: AuditedAction, answer: unknown): Told {
  const approval_id = textIn([request.params], 'id') === undefined ? textIn([answer], 'approval_id') : undefined;
  return { ...toldBy(request, audited, answer), ...(approval_id !== undefined && { approval_id }) };
}

function intentOf(
  request: Request,
  response: Response,
  audited: AuditedAction,
  params: unknown = request.params,
): AuditIntent {
  return {
    at: new Date().toISOString(),
    actor: auditActorOf(principalOf(request)),
    action: audited.action,
    target: targetOf(audited.targets, { ...sourcesOf(request), params }) ?? request.path,
    ...(request.ip !== undefined && { address: request.ip }),
    request_id: requestIdOf(response),
  };
}

/** As Express reads a path: in any case, with or without a slash at its end. */
function patternOf(path: string): RegExp {
  const text = path.replaceAll('.', '\\.').replace(/:(\w+)/g, '(?<$1>[^/]+)');
  return new RegExp(`^${text}/?$`, 'i');
}
