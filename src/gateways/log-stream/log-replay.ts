/** The past of the log for all clients together: where a cursor stands, page after page, and who has ended already. */
import { Injectable } from '@nestjs/common';
import { decodeCursor, encodeCursor, type StreamPosition } from '../../domain/cursor.js';
import type { DeploymentState } from '../../domain/deployment.js';
import { DeployError } from '../../domain/errors.js';
import { isFinal, type DeploymentStatus } from '../../domain/phases.js';
import { DeploymentStore, LogStore, type LogPage } from '../../domain/ports.js';
import { LogHub } from '../../modules/logs/index.js';
import type { Selection } from './log-filter.js';
import { StreamError } from './stream-error.js';

const PAGE_ENTRIES = 200;
/** A thousand clients that come back at once must not keep the rest of FlukeDeploy from the database. */
const READS_AT_ONCE = 4;

@Injectable()
export class LogReplay {
  private readonly waiting: (() => void)[] = [];
  private reading = 0;

  constructor(
    private readonly hub: LogHub,
    private readonly logs: LogStore,
    private readonly deployments: DeploymentStore,
  ) {}

  /**
   * The place a subscription begins after.
   * @throws DeployError `cursor_invalid`; StreamError `unavailable`
   */
  async placeOf(since: string | undefined): Promise<StreamPosition> {
    if (since === undefined || since === 'now') return this.hub.place;
    const asked = since === 'beginning' ? undefined : decodeCursor(since);
    const { beginning, head } = await this.logs.bounds().catch((cause: unknown) => {
      throw new StreamError('unavailable', `The log cannot be read at the moment: ${String(cause)}`);
    });
    if (asked === undefined) return decodeCursor(beginning);
    const { epoch, position } = decodeCursor(head);
    if (asked.epoch === epoch && asked.position > position) throw new DeployError('cursor_invalid');
    return asked;
  }

  page(after: StreamPosition, { scope }: Selection): Promise<LogPage> {
    return this.inTurn(() => this.logs.read(encodeCursor(after), scope, PAGE_ENTRIES));
  }

  /** The app that a deployment is of; `undefined` where there is no such deployment. */
  async appOf(deploymentId: string): Promise<string | undefined> {
    return (await this.stateOf(deploymentId))?.identity.app_name;
  }

  /** Final status of the one deployment that the selection follows; what the client may not see has none. */
  async finalStatus(selection: Selection): Promise<DeploymentStatus | undefined> {
    const { deployment_id } = selection.filter;
    if (deployment_id === undefined) return undefined;
    const state = await this.stateOf(deployment_id);
    if (state === undefined || !isFinal(state.status)) return undefined;
    return selection.covers({ deployment_id, app_name: state.identity.app_name }) ? state.status : undefined;
  }

  private async stateOf(deploymentId: string): Promise<DeploymentState | undefined> {
    return (await this.inTurn(() => this.deployments.find(deploymentId)))?.state;
  }

  private async inTurn<Answer>(read: () => Promise<Answer>): Promise<Answer> {
    if (this.reading < READS_AT_ONCE) this.reading++;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await read();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.reading--;
    }
  }
}
