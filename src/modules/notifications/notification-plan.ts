/** Who is told of a deployment's end: pure. */
import type { Outcome, PlannedNotification } from '../../domain/ports.js';
import type { DeploymentEvent } from '../../plugins/notify/deployment-event.js';
import { readNotifyOptions } from '../../plugins/notify/notify-options.js';

/** Stands for all targets where the options that name them cannot be read; no target has this name. */
const EVERYBODY = '*';

export function plannedNotifications(
  options: unknown,
  { type: event }: DeploymentEvent,
  newId: () => string,
): PlannedNotification[] {
  const read = readNotifyOptions(options);
  if ('problem' in read) return [{ id: newId(), target: EVERYBODY, event, problem: read.problem }];
  const outcome = event.replace('deployment.', '') as Outcome;
  return read.targets
    .filter(({ on }) => on.includes(outcome))
    .map(({ name, type }) => ({ id: newId(), target: name, type, event }));
}
