/** REST: is the process alive, and are the things it needs there? */
import { Controller, Get, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Public } from '../auth/index.js';
import { LivenessView, ReadinessView, type DependencyView } from './health.view.js';

const CHECK_TIMEOUT_MS = 3_000;

/** One thing that FlukeDeploy needs; `check` rejects when it is not there. */
export interface Dependency {
  readonly name: string;
  /** Without a required one nothing works; the others only make things slower. */
  readonly required: boolean;
  readonly check: () => Promise<unknown>;
}

/** What this process depends on; provided by the composition root. */
export class Dependencies {
  constructor(readonly all: readonly Dependency[]) {}
}

@ApiTags('health')
@Controller('health')
@Public('load balancers and the container engine ask without credentials')
export class HealthController {
  constructor(private readonly dependencies: Dependencies) {}

  @Get('live')
  live(): LivenessView {
    return { status: 'up' };
  }

  /** 200 when every required dependency answers, else 503; each is named with its state. */
  @Get('ready')
  async ready(@Res({ passthrough: true }) response: Response): Promise<ReadinessView> {
    const states = await Promise.all(
      this.dependencies.all.map(async ({ name, check }) => [name, await stateOf(check)] as const),
    );
    const dependencies = Object.fromEntries(states);
    const ready = this.dependencies.all.every(({ name, required }) => !required || dependencies[name]?.status === 'up');
    if (!ready) response.status(503);
    return { status: ready ? 'ready' : 'not_ready', dependencies };
  }
}

async function stateOf(check: () => Promise<unknown>): Promise<DependencyView> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([check(), timeout]);
    return { status: 'up' };
  } catch (error) {
    return { status: 'down', reason: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
