/** Asks the person at an agent's client for an approval, with a form of MCP, and reads what that person says. */
import { Injectable } from '@nestjs/common';
import {
  createRequestStateCodec,
  inputRequired,
  type InputRequiredResult,
  inputResponse,
  type RequestStateCodec,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { LIMITS } from '../../domain/limits.js';
import { Secrets, type Approval } from '../../domain/ports.js';
import { plain } from './untrusted-text.js';

const FIELD = 'approval';
const LONGEST_REASON = 300;

/** What goes to the client and comes back with the answer, signed: which question it was. */
interface Asked {
  readonly approval_id: string;
}

/** What the person at the client has said. */
export interface PersonsWord {
  readonly approval_id: string;
  /** `dismissed`: neither yes nor no. */
  readonly verdict: 'approved' | 'rejected' | 'dismissed';
  readonly reason?: string;
}

@Injectable()
export class ApprovalQuestion {
  readonly #codec: RequestStateCodec<Asked>;

  /** Every process of the installation signs with the same key. */
  constructor(secrets: Secrets) {
    const key = secrets.fingerprint('flukedeploy mcp request state');
    this.#codec = createRequestStateCodec<Asked>({ key, ttlSeconds: LIMITS.approval_minutes * 60 });
  }

  /** @throws Error when we have not asked this, or too long ago */
  verify(state: string, context: ServerContext): Promise<unknown> {
    return this.#codec.verify(state, context);
  }

  async ask({ id, actor, action, summary, plan_hash, expires_at }: Approval): Promise<InputRequiredResult> {
    const { kind, app_name, environment, replicas, strategy } = action;
    const message = [
      `${actor.agent ?? actor.name} asks to ${kind} ${app_name} in ${environment}.`,
      summary,
      ...(replicas === undefined ? [] : [`Replicas: ${replicas}.`]),
      ...(strategy === undefined ? [] : [`Strategy: ${strategy}.`]),
      `Plan ${plan_hash.slice(0, 16)}, approval ${id}, good until ${expires_at}.`,
    ];
    const form = inputRequired.elicit({
      message: message.map((line) => plain(line)).join('\n'),
      requestedSchema: {
        type: 'object',
        properties: {
          approve: { type: 'boolean', title: 'Approve', description: 'Exactly this may be done, once.' },
          reason: { type: 'string', title: 'Reason', maxLength: LONGEST_REASON },
        },
        required: ['approve'],
      },
    });
    return inputRequired({
      inputRequests: { [FIELD]: form },
      requestState: await this.#codec.mint({ approval_id: id }),
    });
  }
}

/** Undefined where nobody was asked: an answer without our question counts for nothing. */
export function wordOf({ inputResponses, requestState }: ServerContext['mcpReq']): PersonsWord | undefined {
  const approval_id = requestState<Partial<Asked>>()?.approval_id;
  const given = inputResponse(inputResponses, FIELD);
  if (approval_id === undefined || given.kind !== 'elicit') return undefined;
  const { approve, reason } = given.content ?? {};
  const said = typeof reason === 'string' ? plain(reason, LONGEST_REASON) : '';
  return { approval_id, verdict: verdictOf(given.action, approve), ...(said !== '' && { reason: said }) };
}

/** Only a clear yes approves. */
function verdictOf(action: 'accept' | 'decline' | 'cancel', approve: unknown): PersonsWord['verdict'] {
  switch (action) {
    case 'accept':
      return approve === true ? 'approved' : 'rejected';
    case 'decline':
      return 'rejected';
    case 'cancel':
      return 'dismissed';
  }
}
