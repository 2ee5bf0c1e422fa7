/** Fixtures that are prompts: with arguments, contents, and a question back. */
import {
  acceptedContent,
  completable,
  inputRequired,
  type McpServer,
  type PromptMessage,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { IMAGE, text } from './samples.js';

const description = 'For the conformance suite.';
const CONTEXT = z.object({ context: z.string() });

const user = (...contents: PromptMessage['content'][]): { messages: PromptMessage[] } => ({
  messages: contents.map((content) => ({ role: 'user', content })),
});

export function registerPrompts(server: McpServer): void {
  server.registerPrompt('test_simple_prompt', { description }, () =>
    user(text('This is a simple prompt for testing.')),
  );
  server.registerPrompt(
    'test_prompt_with_arguments',
    {
      description,
      argsSchema: z.object({ arg1: completable(z.string(), (begun) => [`${begun}ing`]), arg2: z.string() }),
    },
    ({ arg1, arg2 }) => user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description, argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri: uri }) => {
      const resource = { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' };
      return user({ type: 'resource', resource }, text('Please process the embedded resource above.'));
    },
  );
  server.registerPrompt('test_prompt_with_image', { description }, () =>
    user({ type: 'image', ...IMAGE }, text('Please analyze the image above.')),
  );
  server.registerPrompt('test_input_required_result_prompt', { description }, ({ mcpReq }) => {
    const given = acceptedContent(mcpReq.inputResponses, 'user_context', CONTEXT);
    if (given) return user(text(`Use this context: ${given.context}`));
    const asked = inputRequired.elicit({
      message: 'What context should the prompt use?',
      requestedSchema: CONTEXT,
    });
    return inputRequired({ inputRequests: { user_context: asked } });
  });
}
