/** Runs the tools. What changes something or is refused is in the audit trail, whichever tool it is; a person is asked for an approval. */
import { Injectable } from '@nestjs/common';
import type { CallToolResult, InputRequiredResult } from '@modelcontextprotocol/server';
import { isRefusal, LOOK } from '../../domain/audit-record.js';
import { DeployError } from '../../domain/errors.js';
import { mayElicitApproval } from '../../domain/policy.js';
import type { AuditIntent } from '../../domain/ports.js';
import { auditActorOf, Auditor, type Told } from '../audit/index.js';
import { requireUnfrozen } from '../auth/index.js';
import { ApprovalsService } from '../policy/index.js';
import { ApprovalQuestion, type PersonsWord } from './approval-question.js';
import type { ChangingTool, Tool } from './tool.js';
import type { ToolCall } from './tool-call.js';

/** What is done, to what, as the audit trail names it. */
interface Deed {
  readonly action: string;
  readonly target: string;
}

const BY_ELICITATION = {
  approved: 'approval.approve_by_elicitation',
  rejected: 'approval.reject_by_elicitation',
} as const;

@Injectable()
export class ToolRuns {
  constructor(
    private readonly auditor: Auditor,
    private readonly approvals: ApprovalsService,
    private readonly question: ApprovalQuestion,
  ) {}

  /** @throws DeployError whatever the tool has against it; `unavailable` where a change cannot be recorded: then nothing was changed */
  run(tool: Tool, call: ToolCall): Promise<CallToolResult | InputRequiredResult> {
    const target = tool.targetOf(call.arguments);
    if (tool.readOnly) return this.#look(target, call, () => tool.run(call));
    if (call.arguments['dry_run'] === true) return this.#look(target, call, () => tool.plan(call));
    return this.#change(tool, call, { action: tool.action, target });
  }

  /** Nothing is changed, so nothing is noted before; only that somebody was kept from it is recorded. */
  async #look(target: string, call: ToolCall, look: () => Promise<CallToolResult>): Promise<CallToolResult> {
    try {
      return await look();
    } catch (error) {
      if (error instanceof DeployError && isRefusal(error.code)) {
        await this.auditor.refused(intentOf(call, { action: LOOK, target }), error);
      }
      throw error;
    }
  }

  async #change(tool: ChangingTool, call: ToolCall, deed: Deed): Promise<CallToolResult | InputRequiredResult> {
    const judged = call.word === undefined ? call : await this.#heard(call, call.word);
    try {
      const { answer } = await this.#recorded(
        judged,
        deed,
        () => {
          // The order is refused as well; before, there is nothing to look up for it either.
          requireUnfrozen(judged.principal);
          return tool.change(judged);
        },
        ({ told }) => told,
      );
      return await answer();
    } catch (error) {
      const question = call.word === undefined && (await this.#questionOf(call, error));
      if (question) return question;
      throw error;
    }
  }

  /** The question that takes the place of the refusal, where the token allows it and there is a person to ask. */
  async #questionOf({ canAsk, principal }: ToolCall, error: unknown): Promise<InputRequiredResult | undefined> {
    if (!(error instanceof DeployError) || error.code !== 'approval_required') return undefined;
    const id = error.policy?.approval_id;
    if (!canAsk || id === undefined || !mayElicitApproval(principal)) return undefined;
    return this.question.ask(await this.approvals.find(id, principal));
  }

  /** The call with the approval that its person was asked for. Whether that allows it, the policy says. */
  async #heard(call: ToolCall, { approval_id, verdict, reason }: PersonsWord): Promise<ToolCall> {
    const { principal } = call;
    const asked = { ...call, principal: { ...principal, approval_id } };
    if (verdict === 'dismissed') return asked;
    await this.#recorded(call, { action: BY_ELICITATION[verdict], target: approval_id }, async () => {
      await this.approvals.decideByElicitation(approval_id, principal, verdict, reason);
    });
    return asked;
  }

  async #recorded<Result>(
    call: ToolCall,
    deed: Deed,
    work: () => Promise<Result>,
    told: (result: Result) => Told = () => ({}),
  ): Promise<Result> {
    const begun = await this.auditor.begin(intentOf(call, deed));
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

function intentOf({ principal, origin: { address, request_id } }: ToolCall, deed: Deed): AuditIntent {
  const at = new Date().toISOString();
  return { at, actor: auditActorOf(principal), ...deed, request_id, ...(address !== undefined && { address }) };
}
