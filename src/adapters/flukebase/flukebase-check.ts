/** Whether FlukeBase is where its address says, and who it says it is. Nothing is sent that could change anything. */
import { once } from 'node:events';
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import type { FlukeBaseFinding, FlukeBaseReply } from '../../domain/flukebase-ports.js';

const SOON_DAYS = 14;
const DAY_MS = 86_400_000;

/** The handshake is the check: Node refuses what it does not trust, with the reason. */
export async function checkCertificate(
  { hostname, port, host }: URL,
  ca: string[] | undefined,
  signal: AbortSignal,
): Promise<FlukeBaseFinding[]> {
  const bare = hostname.replace(/^\[|\]$/g, '');
  const socket = connect({
    host: bare,
    port: Number(port || 443),
    ...(isIP(bare) === 0 && { servername: bare }),
    ...(ca !== undefined && { ca }),
  });
  try {
    await once(socket, 'secureConnect', { signal });
    const ends = Date.parse(socket.getPeerCertificate().valid_to);
    const days = Math.floor((ends - Date.now()) / DAY_MS);
    const certificate =
      days >= SOON_DAYS
        ? `Its certificate is trusted, for ${days} more days.`
        : `Its certificate is trusted, but expires in ${days} days.`;
    return [
      { about: 'address', ok: true, message: `FlukeBase is reached at ${host}.` },
      { about: 'certificate', ok: true, message: certificate },
    ];
  } catch (error) {
    return [failure(host, error, signal)];
  } finally {
    socket.on('error', () => undefined).destroy();
  }
}

/** Whether there is nothing where it was asked. */
export function isAbsent(reply: FlukeBaseReply): boolean {
  return reply.kind === 'refused' && (reply.status === 404 || reply.status === 405);
}

/** @param reply to something on a route of the contract that FlukeBase refuses as empty, or takes without effect */
export function answerFinding(reply: FlukeBaseReply, { origin, pathname }: URL): FlukeBaseFinding {
  if (reply.kind === 'unanswered') return { about: 'address', ok: false, message: reply.reason };
  const { status } = reply;
  if (reply.kind === 'accepted' || status === 400 || status === 422) {
    return { about: 'token', ok: true, message: 'FlukeBase does not refuse FLUKEBASE_API_TOKEN.' };
  }
  if (status === 401 || status === 403) {
    return { about: 'token', ok: false, message: `FlukeBase refuses FLUKEBASE_API_TOKEN with HTTP ${status}.` };
  }
  if (!isAbsent(reply)) return { about: 'address', ok: false, message: `FlukeBase answers with HTTP ${status}.` };
  const hint = 'FLUKEBASE_API_URL should look like https://flukebase.me/api/v1.';
  const message = `There is no FlukeBase API at ${origin}${pathname}: it answers with HTTP ${status}. ${hint}`;
  return { about: 'address', ok: false, message };
}

function failure(host: string, error: unknown, signal: AbortSignal): FlukeBaseFinding {
  if (signal.aborted) return { about: 'address', ok: false, message: `${host} does not answer in time.` };
  const { code = 'unknown', syscall } = error as NodeJS.ErrnoException;
  if (syscall !== undefined || code === 'ECONNRESET') {
    return { about: 'address', ok: false, message: `${host} cannot be reached: ${code}.` };
  }
  const hint = 'FLUKEBASE_CA_FILE names the authority of a private one.';
  return { about: 'certificate', ok: false, message: `The certificate of ${host} is not trusted: ${code}. ${hint}` };
}
