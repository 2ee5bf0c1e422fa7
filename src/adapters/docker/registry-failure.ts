/** Tells apart what a registry's refusal means; the wording that is matched is the Engine's and the registries'. */
import { DeployError } from '../../domain/errors.js';

const UNREACHABLE =
  /dial (tcp|udp)|no such host|i\/o timeout|handshake timeout|Client\.Timeout|connection (refused|reset)|network is unreachable|server misbehaving|deadline exceeded|unexpected EOF|: EOF$|HTTP status: 5\d\d|status(:| code) 5\d\d|toomanyrequests/i;
const NOT_FOUND =
  /pull access denied|manifest (for .* not found|unknown)|not found|does not exist|name unknown|no such image|invalid reference format/i;
const DENIED =
  /unauthorized|authentication required|denied|forbidden|no basic auth|incorrect username|HTTP status: 40[13]/i;

/** `undefined` where the message is about something else. The order matters: docker.io says "denied" for what is missing. */
export function registryFailure(message: string, reference: string): DeployError | undefined {
  if (UNREACHABLE.test(message)) {
    return new DeployError('registry_unreachable', `The registry of ${reference} does not answer: ${message}`);
  }
  if (NOT_FOUND.test(message)) return new DeployError('image_not_found', `${reference} was not found: ${message}`);
  if (DENIED.test(message)) return new DeployError('registry_denied', `The registry refused ${reference}: ${message}`);
  return undefined;
}

/** A build fails for the registry's sake only while it fetches a base image, not when its own commands do. */
export function buildFailure(message: string, evidence: readonly string[]): DeployError {
  const plain = message
    .replace(
      /(failed to solve( with frontend [\w.]+)?|rpc error: code = \w+ desc =|failed to (build|create) LLB( definition)?):? */g,
      '',
    )
    .trim();
  const step =
    /executor failed running \[(.*)\]: exit code: (\d+)/s.exec(plain) ??
    /process "(.*)" did not complete successfully: exit code: (\d+)/s.exec(plain) ??
    /The command '(.*)' returned a non-zero code: (\d+)/s.exec(plain);
  if (step) {
    const command = step[1]?.replace(/^\/bin\/sh -c /, '') ?? '';
    return new DeployError('build_failed', `The build step "${command}" ended with code ${step[2] ?? '?'}.`, {
      evidence,
    });
  }
  const failure = FETCHING.test(plain) ? registryFailure(plain, 'a base image') : undefined;
  return failure
    ? new DeployError(failure.code, failure.message, { evidence })
    : new DeployError('build_failed', `The build failed: ${plain}`, { evidence });
}

const FETCHING =
  /https?:\/\/|pull access denied|manifest|failed to (do|authorize|resolve|copy|fetch)|load metadata|dial (tcp|udp)/;
