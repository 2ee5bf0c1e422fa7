/** Sets the HTTP server up: body limits, security headers, and the OpenAPI description. */
import type { INestApplication } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { NextFunction, Request, Response } from 'express';
import helmet from 'helmet';
import { DeployError } from '../../domain/errors.js';
import { LIMITS } from '../../domain/limits.js';
import { LOG_SCHEMA } from '../../domain/log-schema.js';
import { DependencyView } from '../../modules/health/index.js';
import { PROBLEM_MEDIA_TYPE } from './problem.js';
import { ProblemDto } from './problems.dto.js';

/** The documentation page brings inline scripts and styles; FlukeDeploy may be reached by plain HTTP. */
const CONTENT_SECURITY = {
  directives: {
    scriptSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    upgradeInsecureRequests: null,
  },
};

export function setUpHttp(app: NestExpressApplication): void {
  app.use(helmet({ contentSecurityPolicy: CONTENT_SECURITY, strictTransportSecurity: false }));
  app.useBodyParser('json', { limit: LIMITS.json_body_bytes });
  app.use(refuseOtherBodies);
  app.disable('x-powered-by');
  // A hash over every answer costs more than it can save: what clients poll changes, and the schemas bring their own tags.
  app.disable('etag');
  // Behind a proxy on this machine the client's address is in X-Forwarded-For.
  app.set('trust proxy', 'loopback');
  SwaggerModule.setup('api/docs', app, () => describeApi(app), {
    jsonDocumentUrl: 'api/openapi.json',
    yamlDocumentUrl: 'api/openapi.yaml',
  });
}

/** A body that no parser reads would look like an empty one. */
function refuseOtherBodies(request: Request, _response: Response, next: NextFunction): void {
  const hasBody =
    Number(request.headers['content-length'] ?? 0) > 0 || request.headers['transfer-encoding'] !== undefined;
  const readable = request.is('application/json') || request.is('multipart/form-data');
  next(hasBody && !readable ? new DeployError('unsupported_media_type') : undefined);
}

export function describeApi(app: INestApplication): OpenAPIObject {
  const description = new DocumentBuilder()
    .setTitle('FlukeDeploy')
    .setDescription(
      'From source or image to a verified, running Docker Swarm service. Errors are problem documents (RFC 9457).',
    )
    .setVersion('1')
    .setOpenAPIVersion('3.1.0')
    .addBearerAuth({ type: 'http', description: 'An API token (`fd_…`) or a session' })
    .build();
  return completed(SwaggerModule.createDocument(app, description, { extraModels: [DependencyView, ProblemDto] }));
}

type Operation = Partial<Pick<OpenAPIObject['paths'][string], 'get'>>['get'];

/** What decorators cannot say: the entry's schema, the multipart form of a deploy, and that every error is a problem document. */
function completed(document: OpenAPIObject): OpenAPIObject {
  const { $schema: _, $id: __, ...entry } = LOG_SCHEMA;
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, UnifiedLogEntry: entry },
  };
  const problem = {
    description: 'Refused',
    content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/ProblemDto' } } },
  };
  for (const path of Object.values(document.paths)) {
    for (const operation of Object.values(path) as Operation[]) {
      if (operation?.responses) operation.responses['default'] = problem;
      const body = operation?.requestBody && 'content' in operation.requestBody ? operation.requestBody.content : {};
      const spec = body['multipart/form-data']?.schema;
      if (spec) {
        const properties = { spec, source: { type: 'string', format: 'binary', description: 'tar or tar.gz' } };
        body['multipart/form-data'] = { schema: { type: 'object', properties, required: ['spec'] } };
      }
    }
  }
  return document;
}
