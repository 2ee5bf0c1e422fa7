/** Resources: each deployment and its log as JSON-LD, and who may read or watch them. */
import { Injectable } from '@nestjs/common';
import { type McpServer, requireScopes, ResourceNotFoundError, ResourceTemplate } from '@modelcontextprotocol/server';
import { DeployError } from '../../domain/errors.js';
import { LOG_CONTEXT_URL, toEntry, type UnifiedLogEntry } from '../../domain/log-entry.js';
import { LogStore, type Principal } from '../../domain/ports.js';
import { DeploymentsService } from '../deployments/index.js';
import { ANSWER_BYTES, type Content } from './answer.js';
import { principalOf } from './caller.js';
import { DeploymentBriefs } from './deployment-briefs.js';
import { jsonBytes, plain } from './untrusted-text.js';

const MIME_TYPE = 'application/ld+json';
const LISTED = 20;
const LOG_ROWS = 100;
const MESSAGE_LENGTH = 1_000;
const URI = /^flukedeploy:\/\/deployments\/([\w-]{1,64})(\/log)?$/;

const CONTEXT = {
  '@vocab': 'https://flukebase.me/ns/log#',
  prov: 'http://www.w3.org/ns/prov#',
  xsd: 'http://www.w3.org/2001/XMLSchema#',
  requested_at: { '@id': 'prov:startedAtTime', '@type': 'xsd:dateTime' },
};

export const deploymentUri = (id: string): string => `flukedeploy://deployments/${id}`;
export const logUri = (id: string): string => `${deploymentUri(id)}/log`;

@Injectable()
export class DeploymentResources {
  constructor(
    private readonly deployments: DeploymentsService,
    private readonly briefs: DeploymentBriefs,
    private readonly logs: LogStore,
  ) {}

  register(server: McpServer): void {
    const scopeChallenge = requireScopes('read');
    server.registerResource(
      'deployment',
      new ResourceTemplate(deploymentUri('{id}'), {
        list: async ({ http }) => ({ resources: await this.#newest(principalOf(http?.authInfo)) }),
      }),
      { title: 'Deployment', description: 'How it stands, and why it failed.', mimeType: MIME_TYPE, scopeChallenge },
      (uri, _variables, { http }) => this.#read(uri.href, principalOf(http?.authInfo)),
    );
    server.registerResource(
      'deployment_log',
      new ResourceTemplate(logUri('{id}'), { list: undefined }),
      { title: 'Log of a deployment', description: 'Its newest entries.', mimeType: MIME_TYPE, scopeChallenge },
      (uri, _variables, { http }) => this.#read(uri.href, principalOf(http?.authInfo)),
    );
  }

  /** The deployment's id. @throws ResourceNotFoundError also where it is one of a foreign app, or the scope is missing */
  async requireReadable(uri: string, principal: Principal): Promise<string> {
    const id = URI.exec(uri)?.[1];
    if (id === undefined || !principal.scopes.includes('read')) throw new ResourceNotFoundError(uri);
    try {
      await this.briefs.requireReadable(id, principal);
      return id;
    } catch (error) {
      throw error instanceof DeployError && error.code === 'deployment_not_found'
        ? new ResourceNotFoundError(uri)
        : error;
    }
  }

  async #read(
    uri: string,
    principal: Principal,
  ): Promise<{ contents: { uri: string; mimeType: string; text: string }[] }> {
    const id = await this.requireReadable(uri, principal);
    const document = uri.endsWith('/log') ? await this.#log(id) : await this.#deployment(id);
    return { contents: [{ uri, mimeType: MIME_TYPE, text: JSON.stringify(document) }] };
  }

  async #deployment(id: string): Promise<Content> {
    const view = await this.deployments.view(id, 0, AbortSignal.abort());
    const { next: _, ...content } = await this.briefs.content(view);
    return {
      '@context': CONTEXT,
      '@id': `https://flukebase.me/id/deployment/${id}`,
      '@type': 'prov:Activity',
      ...content,
    };
  }

  /** As many of the newest as fit. */
  async #log(id: string): Promise<Content> {
    const { rows } = await this.logs.tail({ deployment_id: id }, LOG_ROWS);
    const kept: UnifiedLogEntry[] = [];
    let left = ANSWER_BYTES - 200;
    for (const row of rows.toReversed()) {
      const { metadata: _, ...rest } = row;
      const entry = toEntry({ ...rest, message: plain(row.message, MESSAGE_LENGTH) });
      left -= jsonBytes(entry) + 1;
      if (left < 0) break;
      kept.unshift(entry);
    }
    return { '@context': LOG_CONTEXT_URL, '@graph': kept };
  }

  async #newest(principal: Principal): Promise<{ uri: string; name: string; description: string; mimeType: string }[]> {
    if (!principal.scopes.includes('read')) return [];
    const filter = principal.apps ? { apps: principal.apps } : {};
    const { deployments } = await this.deployments.list(filter, { limit: LISTED, offset: 0 });
    return deployments.map(({ deployment_id, app_name, version, status }) => ({
      uri: deploymentUri(deployment_id),
      name: deployment_id,
      description: `${app_name} ${version}: ${status}`,
      mimeType: MIME_TYPE,
    }));
  }
}
