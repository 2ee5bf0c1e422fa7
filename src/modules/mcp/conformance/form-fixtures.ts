/** Fixtures that ask their client in the midst of a call, in the ways of 2025: sampling, and forms with defaults and choices. */
import { inputRequired, inputResponse, type McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { text } from './samples.js';

type Form = Parameters<typeof inputRequired.elicit>[0]['requestedSchema'];

const USER: Form = {
  type: 'object',
  properties: {
    username: { type: 'string', description: "User's response" },
    email: { type: 'string', description: "User's email address" },
  },
  required: ['username', 'email'],
};

const DEFAULTS: Form = {
  type: 'object',
  properties: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
};

const OPTIONS = ['option1', 'option2', 'option3'];
const titled = (word: string) =>
  ['First', 'Second', 'Third'].map((which, index) => ({ const: `value${index + 1}`, title: `${which} ${word}` }));

const CHOICES: Form = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: OPTIONS },
    titledSingle: { type: 'string', oneOf: titled('Option') },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: { type: 'array', items: { type: 'string', enum: OPTIONS } },
    titledMulti: { type: 'array', items: { anyOf: titled('Choice') } },
  },
};

export function registerForms(server: McpServer): void {
  const description = 'For the conformance suite.';
  server.registerTool(
    'test_sampling',
    { description, inputSchema: z.object({ prompt: z.string() }) },
    ({ prompt }, { mcpReq }) => {
      const given = inputResponse(mcpReq.inputResponses, 'sample');
      if (given.kind === 'sampling') {
        return { content: [text(`LLM response: ${JSON.stringify(given.result.content)}`)] };
      }
      const messages = [{ role: 'user' as const, content: text(prompt) }];
      return inputRequired({ inputRequests: { sample: inputRequired.createMessage({ messages, maxTokens: 100 }) } });
    },
  );
  server.registerTool(
    'test_elicitation',
    { description, inputSchema: z.object({ message: z.string() }) },
    ({ message }, { mcpReq }) => asked(mcpReq.inputResponses, message, USER, 'User response'),
  );
  server.registerTool('test_elicitation_sep1034_defaults', { description }, ({ mcpReq }) =>
    asked(mcpReq.inputResponses, 'Please look at the defaults', DEFAULTS, 'Elicitation completed'),
  );
  server.registerTool('test_elicitation_sep1330_enums', { description }, ({ mcpReq }) =>
    asked(mcpReq.inputResponses, 'Please choose', CHOICES, 'Elicitation completed'),
  );
}

function asked(responses: Record<string, unknown> | undefined, message: string, requestedSchema: Form, title: string) {
  const given = inputResponse(responses, 'form');
  if (given.kind !== 'elicit') {
    return inputRequired({ inputRequests: { form: inputRequired.elicit({ message, requestedSchema }) } });
  }
  return { content: [text(`${title}: action=${given.action}, content=${JSON.stringify(given.content ?? {})}`)] };
}
