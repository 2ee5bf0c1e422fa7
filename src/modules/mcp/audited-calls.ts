/** Tool calls that change something in the audit trail, under the names of the routes that do the same. */
import { Injectable } from '@nestjs/common';
import { DeployError } from '../../domain/errors.js';
import { auditActorOf, Auditor, type Told } from '../audit/index.js';
import type { Content } from './answer.js';
import type { ToolCall } from './tool-call.js';

/** What a call is about to do, and to what. */
export interface Change {
  readonly action: string;
  readonly target: string;
}

/** Which app a call is about, as far as it says. */
export function nameIn({ app_name }: Content): string {
  return typeof app_name === 'string' && app_name !== '' ? app_name : 'no app';
}

@Injectable()
export class AuditedCalls {
  constructor(private readonly auditor: Auditor) {}

  /**
   * @param told what only the end tells
   * @throws DeployError `unavailable`: then nothing was changed; and whatever the work throws
   */
  async record<Result>(
    { principal, address }: ToolCall,
    change: Change,
    work: () => Promise<Result>,
    told: (result: Result) => Told = () => ({}),
  ): Promise<Result> {
    const at = new Date().toISOString();
    const actor = auditActorOf(principal);
    const begun = await this.auditor.begin({ at, actor, ...change, ...(address !== undefined && { address }) });
    let result: Result;
    try {
      result = await work();
    } catch (error) {
      await begun.failed(error instanceof DeployError ? error : new DeployError('internal'));
      throw error;
    }
    await begun.succeeded(told(result));
    return result;
  }
}
