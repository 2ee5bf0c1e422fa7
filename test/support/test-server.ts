/** A Nest application as FlukeDeploy sets it up, with some controllers only, on a real port and over a real credential store. */
import { Global, type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CredentialStore } from '../../src/domain/ports.js';
import { ProblemFilter } from '../../src/gateways/http/problem.filter.js';
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
    store: CredentialStore,
    controllers: (new (...injected: never[]) => object)[] = [],
  ): Promise<TestServer> {
    @Global()
    @Module({ providers: [{ provide: CredentialStore, useValue: store }], exports: [CredentialStore] })
    class StoreModule {}
    @Module({ imports: [StoreModule, AuthModule], controllers })
    class TestModule {}

    const app = await NestFactory.create(TestModule, { logger: false, abortOnError: false });
    app.useGlobalFilters(new ProblemFilter());
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
