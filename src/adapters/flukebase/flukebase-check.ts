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

/** What a question that changes nothing was answered with. */
export function tokenFinding(reply: FlukeBaseReply): FlukeBaseFinding {
  if (reply.kind === 'unanswered') return { about: 'address', ok: false, message: reply.reason };
  const { status } = reply;
  if (status === 401 || status === 403) {
    return { about: 'token', ok: false, message: `FlukeBase refuses FLUKEBASE_API_TOKEN with HTTP ${status}.` };
  }
  if (status >= 500 || (status >= 300 && status < 400)) {
    return { about: 'address', ok: false, message: `FlukeBase answers with HTTP ${status}.` };
  }
  return { about: 'token', ok: true, message: 'FlukeBase does not refuse FLUKEBASE_API_TOKEN.' };
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
