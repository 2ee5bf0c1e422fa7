/** What every door asks of its caller: one that is not in these tables fails the test, and so does a row without a door. */

/** `public`: nobody needs credentials. `any`: whoever has some. Else the scope that is needed. */
type Need = 'public' | 'any' | 'read' | 'deploy' | 'rollback' | 'apps:write' | 'approve' | 'admin';

export const ROUTES: Readonly<Record<string, Need>> = {
  'GET /api/v1/me': 'any',
  'POST /api/v1/session': 'public',
  'POST /api/v2/login': 'public',
  'GET /api/v1/tokens': 'admin',
  'POST /api/v1/tokens': 'admin',
  'DELETE /api/v1/tokens/{id}': 'admin',
  'GET /api/v1/agents': 'admin',
  'POST /api/v1/agents/freeze': 'admin',
  'POST /api/v1/agents/unfreeze': 'admin',
  'POST /api/v1/policy/explain': 'any',
  'GET /api/v1/approvals': 'any',
  'GET /api/v1/approvals/{id}': 'any',
  'POST /api/v1/approvals/{id}/approve': 'approve',
  'POST /api/v1/approvals/{id}/reject': 'approve',
  'POST /api/v1/deploy': 'deploy',
  'POST /api/v1/validate': 'deploy',
  'GET /api/v1/deployments': 'read',
  'GET /api/v1/deployments/active': 'read',
  'GET /api/v1/deployments/stats': 'read',
  'GET /api/v1/deployments/{id}': 'read',
  'GET /api/v1/deployments/{id}/logs': 'read',
  'POST /api/v1/deployments/{id}/cancel': 'deploy',
  'POST /api/v1/deployments/{id}/promote': 'deploy',
  'POST /api/v1/deployments/{id}/pause': 'deploy',
  'POST /api/v1/deployments/{id}/resume': 'deploy',
  'POST /api/v1/deployments/{id}/abort': 'deploy',
  'GET /api/v1/deployments/{id}/notifications': 'read',
  'POST /api/v1/deployments/{id}/notifications/{notification}/retry': 'deploy',
  'GET /api/v1/logs': 'read',
  'GET /api/v1/audit': 'admin',
  'GET /api/v1/audit/verify': 'admin',
  'GET /api/v1/apps': 'read',
  'GET /api/v1/apps/{name}': 'read',
  'PATCH /api/v1/apps/{name}': 'apps:write',
  'DELETE /api/v1/apps/{name}': 'apps:write',
  'POST /api/v1/apps/{name}/scale': 'deploy',
  'POST /api/v1/apps/{name}/restart': 'deploy',
  'POST /api/v1/apps/{name}/rollback': 'rollback',
  'GET /api/v1/apps/{name}/deployments': 'read',
  'GET /api/v1/apps/{name}/releases': 'read',
  'GET /api/v1/apps/{name}/releases/{release}': 'read',
  'GET /api/v1/apps/{name}/releases/{release}/sbom': 'read',
  'GET /api/v1/apps/{name}/releases/{from}/diff/{to}': 'read',
  'GET /api/v1/apps/{name}/certificates': 'read',
  'PUT /api/v1/apps/{name}/certificates': 'apps:write',
  'GET /api/v1/certificates': 'read',
  'POST /api/v1/certificates/{id}/renew': 'apps:write',
  'DELETE /api/v1/certificates/{id}': 'apps:write',
  'GET /api/v1/plugins': 'read',
  'GET /api/v1/registries': 'admin',
  'POST /api/v1/registries': 'admin',
  'DELETE /api/v1/registries/{name}': 'admin',
  'GET /api/v1/flukebase': 'read',
  'POST /api/v1/flukebase/check': 'admin',
  'POST /api/v1/flukebase/backfill': 'admin',
  'GET /api/v1/flukebase/dead-letters': 'admin',
  'POST /api/v1/flukebase/dead-letters/{letter}/replay': 'admin',
  'DELETE /api/v1/flukebase/dead-letters/{letter}': 'admin',
  'GET /problems': 'public',
  'GET /problems/{code}': 'public',
  'GET /health/live': 'public',
  'GET /health/ready': 'public',
  'GET /schemas/unified-log': 'public',
  'GET /schemas/unified-log.schema.json': 'public',
  'GET /ns/log': 'public',
  'GET /schemas/audit-log': 'public',
  'GET /ns/audit': 'public',
  'GET /.well-known/oauth-protected-resource/mcp': 'public',
};

/** The scope of each MCP tool. */
export const TOOLS: Readonly<Record<string, Need>> = {
  deploy_app: 'deploy',
  deploy_status: 'read',
  deploy_logs: 'read',
  deploy_rollback: 'rollback',
  deploy_validate: 'deploy',
  deploy_history: 'read',
};

/** By their templates. */
export const RESOURCES: Readonly<Record<string, Need>> = {
  'flukedeploy://deployments/{id}': 'read',
  'flukedeploy://deployments/{id}/log': 'read',
};

export const PROMPTS: Readonly<Record<string, Need>> = { diagnose_failed_deployment: 'read' };

/** What a subscription of the log stream may say. */
export const STREAM_FIELDS: readonly string[] = ['app_name', 'deployment_id', 'level', 'event_type', 'since'];

/** What a caller can name of an app. */
export interface Named {
  readonly app: string;
  readonly deployment: string;
  readonly notification: string;
  readonly certificate: string;
  readonly approval: string;
}

/** Well-formed names of nothing. */
export const UNKNOWN: Named = {
  app: 'no-such-app',
  deployment: 'dep-unknown',
  notification: 'untold',
  certificate: 'crt-unsigned',
  approval: 'apr-0000000000000000',
};

/** The route with its parameters filled in; tokens, registries and problems belong to no app, and release 1 to each. */
export function addressOf(route: string, named: Named): { method: string; path: string } {
  const [method = '', template = ''] = route.split(' ');
  const ids: Readonly<Record<string, string>> = {
    tokens: '0123456789ab',
    approvals: named.approval,
    certificates: named.certificate,
    deployments: named.deployment,
  };
  const values: Readonly<Record<string, string>> = {
    id: ids[template.split('/')[3] ?? ''] ?? 'none',
    name: named.app,
    code: 'internal',
    notification: named.notification,
    release: '1',
    from: '1',
    to: '1',
  };
  return { method, path: template.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? 'none') };
}
