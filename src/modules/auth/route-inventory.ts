/** Lists every HTTP route of the application with its policy, so that none can be forgotten. */
import { Injectable, RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { auditedActionOf, isChange, isUnaudited, type AuditedAction } from './audited.js';
import { policyOf, type RoutePolicy } from './policy.js';

export interface Route {
  /** `GET`, `POST`, …, or `ALL`. */
  readonly method: string;
  /** With parameters as written: `/api/v1/tokens/:id`. */
  readonly path: string;
  /** Class and method that answer. */
  readonly handler: string;
  readonly policy: RoutePolicy | undefined;
  /** Of routes that change something. */
  readonly audited: AuditedAction | undefined;
  /** It says why it is not audited, though its method may change something. */
  readonly unaudited: boolean;
}

@Injectable()
export class RouteInventory {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  routes(): Route[] {
    return this.discovery.getControllers().flatMap(({ metatype }) => {
      // Discovery types the class of a controller as any function.
      const controller = metatype as Type<object>;
      return this.scanner
        .getAllMethodNames(controller.prototype as object)
        .flatMap((name) => this.routesOf(controller, name));
    });
  }

  /** @throws Error naming each route without a policy, or whose policy names a parameter it does not have, or that changes something unseen */
  check(): void {
    const routes = this.routes();
    const wrong = routes.filter(({ policy, path }) => {
      if (policy === undefined) return true;
      return 'app' in policy && !path.split('/').includes(`:${policy.app}`);
    });
    if (wrong.length > 0) throw new Error(`Routes without a fitting @Policy or @Public: ${listed(wrong)}`);
    const unseen = routes.filter(({ method, audited, unaudited }) => isChange(method) && !audited && !unaudited);
    if (unseen.length > 0) throw new Error(`Routes that change something without @Audited: ${listed(unseen)}`);
  }

  private routesOf(controller: Type<object>, name: string): Route[] {
    const handler = (controller.prototype as Record<string, () => unknown>)[name];
    if (handler === undefined) return [];
    const method = this.reflector.get<RequestMethod | undefined>(METHOD_METADATA, handler);
    if (method === undefined) return [];
    return this.paths(controller).flatMap((start) =>
      this.paths(handler).map((end) => ({
        method: RequestMethod[method],
        path: `/${[start, end]
          .flatMap((path) => path.split('/'))
          .filter(Boolean)
          .join('/')}`,
        handler: `${controller.name}.${name}`,
        policy: policyOf(this.reflector, handler, controller),
        audited: auditedActionOf(this.reflector, handler),
        unaudited: isUnaudited(this.reflector, handler),
      })),
    );
  }

  private paths(target: Type | (() => unknown)): string[] {
    return [this.reflector.get<string | string[] | undefined>(PATH_METADATA, target) ?? '/'].flat();
  }
}

function listed(routes: readonly Route[]): string {
  return routes.map(({ method, path, handler }) => `${method} ${path} (${handler})`).join(', ');
}
