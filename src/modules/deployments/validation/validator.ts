/** Says what would become of a deployment: whether it would get through its gates, what would be done, and what that means. */
import { Injectable } from '@nestjs/common';
import { placeName } from '../../../domain/app-spec.js';
import { planOf, type PlanInput } from '../../../domain/deploy-plan.js';
import { DeployError } from '../../../domain/errors.js';
import { hostField, orderedPreviewConflict, previewHostOf } from '../../../domain/host-names.js';
import { LIMITS } from '../../../domain/limits.js';
import { createMasker, secretValues } from '../../../domain/masking.js';
import { Cluster, Secrets, type Principal } from '../../../domain/ports.js';
import { strategyConflict } from '../../../domain/preflight.js';
import { printableDeep } from '../../../domain/printable-text.js';
import { Plugins } from '../../plugins/index.js';
import { PolicyGate } from '../../policy/index.js';
import { DeployRequests } from '../deploy-request.js';
import { actionOf, type PlannedOrder } from '../order-action.js';
import type { UploadedArchive } from '../upload.js';
import { Issues } from './issues.js';
import { Outlooks, type Outlook } from './outlook.js';
import { planHash } from './plan-hash.js';
import { PlanInputs } from './plan-inputs.js';
import type { ValidateDto } from './validate.dto.js';
import { ValidationChecks } from './validation-checks.js';
import type { ValidationView } from './validation.view.js';

const RETRY_AFTER_SECONDS = 5;

/** What is validated, and for whom. */
export interface Validated {
  readonly dto: ValidateDto;
  readonly archive: UploadedArchive | undefined;
  readonly principal: Principal;
}

/** What would be asked for, and what else of the wish counts. */
interface Wish {
  readonly order: (refused: Issues['refused']) => Promise<PlannedOrder>;
  readonly principal: Principal;
  readonly archive?: UploadedArchive | undefined;
  readonly tests?: boolean | undefined;
  readonly scan?: boolean | undefined;
  readonly gitToken?: string | undefined;
  /** Values that nobody may read. */
  readonly hidden?: Readonly<Record<string, string>>;
}

@Injectable()
export class Validator {
  #running = 0;

  constructor(
    private readonly requests: DeployRequests,
    private readonly outlooks: Outlooks,
    private readonly checks: ValidationChecks,
    private readonly inputs: PlanInputs,
    private readonly cluster: Cluster,
    private readonly secrets: Secrets,
    private readonly plugins: Plugins,
    private readonly policy: PolicyGate,
  ) {}

  /** @throws DeployError `too_many_requests`: whoever waited in line here would hold a connection and an upload for as long as others build */
  validate({ dto, archive, principal }: Validated, signal: AbortSignal): Promise<ValidationView> {
    const { env, secrets, run_tests: tests, run_security_scan: scan } = dto;
    const order = (refused: Issues['refused']): Promise<PlannedOrder> =>
      this.requests.order(dto, archive, principal, undefined, { orLive: true, refused });
    const hidden = { ...env, ...secrets };
    return this.#inTurn({ order, principal, archive, tests, scan, gitToken: dto.source?.git?.token, hidden }, signal);
  }

  /** The same for an order that has been made already. @throws DeployError as `validate` does */
  validateOrder(order: PlannedOrder, principal: Principal, signal: AbortSignal): Promise<ValidationView> {
    return this.#inTurn({ order: () => Promise.resolve(order), principal }, signal);
  }

  async #inTurn(wish: Wish, signal: AbortSignal): Promise<ValidationView> {
    if (this.#running >= LIMITS.validations) {
      const message = `${LIMITS.validations} validations run already.`;
      throw new DeployError('too_many_requests', message, { retryAfterSeconds: RETRY_AFTER_SECONDS });
    }
    this.#running++;
    try {
      return await this.#validate(wish, signal);
    } finally {
      this.#running--;
    }
  }

  async #validate(wish: Wish, signal: AbortSignal): Promise<ValidationView> {
    const { archive, tests = false, scan = false, gitToken } = wish;
    // Before anything is built: without Docker there is nothing to say.
    await this.cluster.view();
    const issues = new Issues();
    const asked = await this.#asked(wish, issues);
    if (asked === undefined) return this.#masked({ valid: false, issues: issues.all, plan: [] }, wish);
    const { outlook, requires_approval } = asked;

    // Without what is refused of it, it is another request.
    const isWhole = !issues.stop;
    refuseTaken(outlook, issues);
    const image = await withDeadline(signal, outlook.identity.timeout_ms, (over) =>
      this.checks.run({ outlook, archive, tests, scan, signal: over }, issues),
    );
    signal.throwIfAborted();
    const input = await this.inputs.of(outlook, image);
    refuseConflict(input, issues);
    const told = this.#masked({ valid: !issues.stop, issues: issues.all, ...planOf(input) }, wish, outlook);
    return {
      ...told,
      ...(requires_approval && { requires_approval: true }),
      ...(isWhole && { plan_hash: planHash(this.secrets, outlook, gitToken) }),
    };
  }

  /** Undefined where it cannot be told what would be deployed. @throws DeployError what policy has against it */
  async #asked(wish: Wish, issues: Issues): Promise<{ outlook: Outlook; requires_approval: boolean } | undefined> {
    try {
      const order = await wish.order(issues.refused);
      const requires_approval = await this.policy.requiresApproval(wish.principal, actionOf(order));
      return { outlook: await this.outlooks.of(order), requires_approval };
    } catch (error) {
      issues.refused(error);
      return undefined;
    }
  }

  /** As every entry of the log would be: what programs print may hold what was given to them. */
  #masked<Told>(told: Told, { hidden = {}, gitToken }: Wish, outlook?: Outlook): Told {
    const masker = createMasker([
      ...secretValues(hidden),
      ...secretValues({ ...outlook?.env, ...outlook?.secrets }),
      ...Object.values(this.plugins.server.secrets),
      ...(gitToken === undefined ? [] : [gitToken]),
    ]);
    return masker.maskDeep(printableDeep(told));
  }
}

async function withDeadline<Result>(
  signal: AbortSignal,
  timeout_ms: number,
  work: (over: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const clock = new AbortController();
  const longest = Math.min(timeout_ms, LIMITS.validation_seconds * 1000);
  const message = `The validation took longer than the ${longest / 1000} s that it may.`;
  const timer = setTimeout(() => clock.abort(new DeployError('deployment_timeout', message)), longest);
  try {
    return await work(AbortSignal.any([signal, clock.signal]));
  } finally {
    clearTimeout(timer);
  }
}

/** What the store would refuse, or make wait. */
function refuseTaken({ spec, config, identity, line }: Outlook, issues: Issues): void {
  const preview = previewHostOf(config);
  const conflict = orderedPreviewConflict(identity, config);
  if (conflict) issues.refused(conflict);
  for (const host of line.foreign_hosts) {
    const message = `${host} belongs to another app`;
    const path = hostField(host, preview, config.domains);
    issues.refused(new DeployError('domain_taken', message, { fields: [{ path, message }] }));
  }
  if (line.in_progress === undefined) return;
  const place = placeName(identity.app_name, identity.environment);
  const message = `Deployment ${line.in_progress} of ${place} is in progress`;
  switch (spec.on_conflict) {
    case 'reject':
      issues.refused(new DeployError('deployment_in_progress', `${message}.`));
      break;
    case 'supersede':
      issues.tell('info', 'deployment_in_progress', `${message}, and would be cancelled.`);
      break;
    case 'queue':
      issues.tell('info', 'deployment_in_progress', `${message}: this one would wait for what comes of it.`);
  }
}

/** Where no plugin has looked at the cluster, the rollout itself would refuse. */
function refuseConflict({ config, adopted }: PlanInput, issues: Issues): void {
  const conflict = adopted === undefined ? strategyConflict(config, config.strategy.type) : undefined;
  if (conflict === undefined || issues.all.some(({ code }) => code === 'strategy_unsupported')) return;
  issues.refused(new DeployError('strategy_unsupported', conflict));
}
