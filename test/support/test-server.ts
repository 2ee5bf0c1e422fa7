/** A Nest application as FlukeDeploy sets it up, with some controllers only, on a real port and over real stores. */
import { Global, type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Database } from '../../src/adapters/postgres/database.js';
import { PostgresAuditTrail } from '../../src/adapters/postgres/postgres-audit-trail.js';
import { PostgresCredentialStore } from '../../src/adapters/postgres/postgres-credential-store.js';
import { AuditTrail, CredentialStore } from '../../src/domain/ports.js';
import { HttpAuditModule } from '../../src/gateways/http/http-audit.module.js';
import { requestValidation } from '../../src/gateways/http/validation.js';
import { AuthModule, AuthService } from '../../src/modules/auth/index.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export class TestServer {
  private constructor(
    readonly app: INestApplication,
    readonly url: string,
  ) {}

  static async start(
    database: Database,
    controllers: (new (...injected: never[]) => object)[] = [],
  ): Promise<TestServer> {
    const providers = [
      { provide: CredentialStore, useValue: new PostgresCredentialStore(database) },
      { provide: AuditTrail, useValue: new PostgresAuditTrail(database) },
    ];
    @Global()
    @Module({ providers, exports: providers })
    class StoreModule {}
    @Module({ imports: [StoreModule, AuthModule, HttpAuditModule], controllers })
    class TestModule {}

    const app = await NestFactory.create(TestModule, { logger: false, abortOnError: false });
    app.useGlobalPipes(requestValidation());
    await app.listen(0, '127.0.0.1');
    return new TestServer(app, await app.getUrl());
  }

  /** A session of the administrator. */
  async logIn(password: string): Promise<string> {
    return (await this.app.get(AuthService).login(password, 'test')).token;
  }

  call(method: string, path: string, token?: string, body?: unknown): Promise<Answer> {
    return this.send(method, path, token === undefined ? {} : { authorization: `Bearer ${token}` }, body);
  }

  async send(method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text ? JSON.parse(text) : {}) as Record<string, unknown>,
    };
  }

  async stop(): Promise<void> {
    await this.app.close();
  }
}
