/** Fixtures that need something of their client before they can answer: an input, a sample, its roots. */
import {
  acceptedContent,
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  inputRequired,
  type InputRequiredResult,
  inputResponse,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { envelopeOf } from '../caller.js';
import { requestState } from './request-state.js';
import { text } from './samples.js';

type Result = CallToolResult | InputRequiredResult;

const NAME = z.object({ name: z.string() });
const OK = z.object({ ok: z.boolean() });
const COLOR = z.object({ color: z.string() });

const askName = inputRequired.elicit({ message: 'What is your name?', requestedSchema: NAME });
const sample = (prompt: string, maxTokens = 100) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: text(prompt) }], maxTokens });
const done = (value: string): CallToolResult => ({ content: [text(value)] });

export function registerClientRequests(server: McpServer): void {
  fixture(server, 'test_input_required_result_elicitation', ({ mcpReq }) => {
    const given = acceptedContent(mcpReq.inputResponses, 'user_name', NAME);
    return given ? done(`Hello, ${given.name}!`) : inputRequired({ inputRequests: { user_name: askName } });
  });
  fixture(server, 'test_input_required_result_sampling', ({ mcpReq }) => {
    const given = inputResponse(mcpReq.inputResponses, 'capital_question');
    if (given.kind === 'sampling') return done(JSON.stringify(given.result.content));
    return inputRequired({ inputRequests: { capital_question: sample('What is the capital of France?') } });
  });
  fixture(server, 'test_input_required_result_list_roots', ({ mcpReq }) => {
    const given = inputResponse(mcpReq.inputResponses, 'client_roots');
    if (given.kind === 'roots') return done(given.roots.map(({ uri }) => uri).join(', '));
    return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
  });
  for (const name of ['test_input_required_result_request_state', 'test_input_required_result_tampered_state']) {
    fixture(server, name, confirmed);
  }
  fixture(server, 'test_input_required_result_multiple_inputs', severalInputs);
  fixture(server, 'test_input_required_result_multi_round', twoRounds);
  fixture(server, 'test_input_required_result_capabilities', ({ mcpReq }) => {
    const can = capabilitiesOf({ mcpReq });
    return inputRequired({
      inputRequests: {
        ...(can.sampling && { greeting: sample('Generate a greeting') }),
        ...(can.elicitation && { user_name: askName }),
      },
    });
  });
  // The SDK refuses to send the request to a client that has not said that it can sample.
  fixture(server, 'test_missing_capability', () =>
    inputRequired({ inputRequests: { greeting: sample('Generate a greeting') } }),
  );
  fixture(server, 'test_streaming_elicitation', async ({ mcpReq }) => {
    const params = { progressToken: mcpReq._meta?.progressToken ?? 0, progress: 0, total: 1 };
    if (mcpReq._meta?.progressToken !== undefined) await mcpReq.notify({ method: 'notifications/progress', params });
    return inputRequired({ inputRequests: { user_name: askName } });
  });
}

function capabilitiesOf({ mcpReq }: Pick<ServerContext, 'mcpReq'>): ClientCapabilities {
  return envelopeOf(mcpReq)[CLIENT_CAPABILITIES_META_KEY] ?? {};
}

async function confirmed({ mcpReq }: ServerContext): Promise<Result> {
  const given = acceptedContent(mcpReq.inputResponses, 'confirm', OK);
  if (given && mcpReq.requestState<{ step: number }>()?.step === 1) return done('state-ok');
  return inputRequired({
    inputRequests: { confirm: inputRequired.elicit({ message: 'Please confirm', requestedSchema: OK }) },
    requestState: await requestState.mint({ step: 1 }),
  });
}

async function severalInputs({ mcpReq }: ServerContext): Promise<Result> {
  const name = acceptedContent(mcpReq.inputResponses, 'user_name', NAME);
  const greeting = inputResponse(mcpReq.inputResponses, 'greeting');
  const roots = inputResponse(mcpReq.inputResponses, 'client_roots');
  if (name && greeting.kind === 'sampling' && roots.kind === 'roots') {
    return done(`${JSON.stringify(greeting.result.content)} ${name.name}, ${roots.roots.length} roots`);
  }
  return inputRequired({
    inputRequests: {
      user_name: askName,
      greeting: sample('Generate a greeting', 50),
      client_roots: inputRequired.listRoots(),
    },
    requestState: await requestState.mint({ step: 1 }),
  });
}

async function twoRounds({ mcpReq }: ServerContext): Promise<Result> {
  const step = mcpReq.requestState<{ step: number }>()?.step;
  const color = acceptedContent(mcpReq.inputResponses, 'step2', COLOR);
  if (step === 2 && color) return done(`Noted: ${color.color}.`);
  const hasName = step === 1 && acceptedContent(mcpReq.inputResponses, 'step1', NAME) !== undefined;
  if (!hasName) {
    const step1 = inputRequired.elicit({ message: 'Step 1: What is your name?', requestedSchema: NAME });
    return inputRequired({ inputRequests: { step1 }, requestState: await requestState.mint({ step: 1 }) });
  }
  const step2 = inputRequired.elicit({ message: 'Step 2: What is your favorite color?', requestedSchema: COLOR });
  return inputRequired({ inputRequests: { step2 }, requestState: await requestState.mint({ step: 2 }) });
}

function fixture(server: McpServer, name: string, run: (context: ServerContext) => Result | Promise<Result>): void {
  server.registerTool(name, { description: 'For the conformance suite.' }, run);
}
