/** Which entries a client wants: read from a message or a URL, and applied to rows. */
import { matchesPattern } from '../../domain/app-pattern.js';
import { printable } from '../../domain/printable-text.js';
import { EVENT_TYPES, FlukeDeployEventType, LOG_LEVELS, type LogRow } from '../../domain/log-entry.js';
import { isFinal } from '../../domain/phases.js';
import type { LogFilter } from '../../domain/ports.js';
import { StreamError } from './stream-error.js';
import { isObject } from './stream-request.js';

export type StreamFilter = Pick<LogFilter, 'app_name' | 'deployment_id' | 'level' | 'event_type'>;

export interface Subscription {
  readonly filter: StreamFilter;
  /** A cursor, `beginning` or `now`. */
  readonly since?: string;
}

type FieldCheck = (value: unknown) => string | undefined;

const LONGEST_VALUE = 200;
const text: FieldCheck = (value) =>
  typeof value === 'string' && value.length > 0 && value.length <= LONGEST_VALUE && printable(value) === value
    ? undefined
    : `must be a text of 1 to ${LONGEST_VALUE} printable characters`;
const oneOf =
  (allowed: readonly string[]): FieldCheck =>
  (value) =>
    typeof value === 'string' && allowed.includes(value) ? undefined : `must be one of ${allowed.join(', ')}`;

/** Every field of a subscription with what is wrong with a value, if anything. */
const FIELDS = new Map<string, FieldCheck>([
  ['app_name', text],
  ['deployment_id', text],
  ['level', oneOf(LOG_LEVELS)],
  ['event_type', oneOf(EVENT_TYPES)],
  ['since', text],
]);

/**
 * Reads the fields of a subscription; `since` may stand among those of the filter, as it does in a URL.
 * @throws StreamError `bad_filter`, naming the field
 */
export function parseSubscription(fields: unknown): Subscription {
  if (!isObject(fields)) throw new StreamError('bad_filter', 'filter must be an object.', 'filter');
  for (const [field, value] of Object.entries(fields)) {
    const check = FIELDS.get(field);
    if (check === undefined) {
      throw new StreamError('bad_filter', `${field} is not known; known are ${[...FIELDS.keys()].join(', ')}.`, field);
    }
    const problem = check(value);
    if (problem !== undefined) throw new StreamError('bad_filter', `${field} ${problem}.`, field);
  }
  const { since, ...filter } = fields as StreamFilter & { since?: string };
  return { filter, ...(since !== undefined && { since }) };
}

/**
 * The parameters of a URL as the fields of a subscription; `undefined` when there are none.
 * @throws StreamError `bad_filter` when one is given twice
 */
export function urlFields(url: string): Record<string, string> | undefined {
  const parameters = new URLSearchParams(/\?(.*)$/.exec(url)?.[1]);
  if (parameters.size === 0) return undefined;
  const fields = Object.fromEntries(parameters);
  for (const field of Object.keys(fields)) {
    if (parameters.getAll(field).length > 1) throw new StreamError('bad_filter', `${field} is given twice.`, field);
  }
  return fields;
}

/** A filter together with what its client may see: clients with the same `key` get the same bytes. */
export class Selection {
  readonly key: string;
  /**
   * What the store is asked for. Level and event type are looked at here instead: the entry that ends a deployment
   * must be seen whatever the filter.
   */
  readonly scope: LogFilter;
  private readonly lowestLevel: number;

  constructor(
    readonly filter: StreamFilter,
    private readonly apps?: readonly string[],
  ) {
    const { app_name, deployment_id, level, event_type } = filter;
    this.key = JSON.stringify([app_name, deployment_id, level, event_type, apps]);
    this.scope = { ...(app_name && { app_name }), ...(deployment_id && { deployment_id }), ...(apps && { apps }) };
    this.lowestLevel = level === undefined ? 0 : LOG_LEVELS.indexOf(level);
  }

  matches(row: LogRow): boolean {
    const { event_type } = this.filter;
    return (
      this.covers(row) &&
      LOG_LEVELS.indexOf(row.level) >= this.lowestLevel &&
      (event_type === undefined || row.event_type === event_type)
    );
  }

  /** Whether the client follows this deployment, be the row at hand filtered out. */
  covers({ app_name, deployment_id }: Pick<LogRow, 'app_name' | 'deployment_id'>): boolean {
    const { filter, apps } = this;
    return (
      (filter.app_name === undefined || filter.app_name === app_name) &&
      (filter.deployment_id === undefined || filter.deployment_id === deployment_id) &&
      (apps === undefined || apps.some((app) => matchesPattern(app_name, app)))
    );
  }
}

/** Whether this row is the one that ended its deployment: later rows, such as a scale_event, bear a final status too. */
export function endsDeployment({ status, event_type, phase }: LogRow): boolean {
  const { DEPLOY_COMPLETE, DEPLOY_ERROR } = FlukeDeployEventType;
  return isFinal(status) && phase === undefined && (event_type === DEPLOY_COMPLETE || event_type === DEPLOY_ERROR);
}
