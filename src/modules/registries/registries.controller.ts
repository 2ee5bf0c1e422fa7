/** REST: the registries whose images are fetched, and where built ones are pushed to. */
import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { DeployError } from '../../domain/errors.js';
import type { Actor } from '../../domain/facts.js';
import { AuditTrail, RegistryStore, Secrets, type Principal, type RegistryRecord } from '../../domain/ports.js';
import { registryContext } from '../../domain/registry-address.js';
import { CurrentPrincipal, Policy } from '../auth/index.js';
import { refuse } from '../deployments/index.js';
import { RegistryListView, RegistryParams, RegistryView, StoreRegistryDto } from './registries.dto.js';

@ApiTags('registries')
@Controller('api/v1/registries')
export class RegistriesController {
  constructor(
    private readonly store: RegistryStore,
    private readonly secrets: Secrets,
    private readonly trail: AuditTrail,
  ) {}

  /** Stores a registry, in the place of one that has its name. */
  @Post()
  @Policy({ scope: 'admin' })
  async put(
    @Body() { name, url, username, password, default_push = false }: StoreRegistryDto,
    @CurrentPrincipal() { actor }: Principal,
  ): Promise<RegistryView> {
    if ((username === undefined) !== (password === undefined)) {
      const missing = username === undefined ? 'username' : 'password';
      throw refuse('invalid_field', missing, 'is required: a login is both, username and password');
    }
    const record: RegistryRecord = {
      name,
      url,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password: this.secrets.seal(password, registryContext(name)) }),
      default_push,
      created_at: new Date().toISOString(),
    };
    await this.store.put(record);
    await this.#audit(actor, 'registry.store', name);
    return viewOf(record);
  }

  @Get()
  @Policy({ scope: 'admin' })
  async list(): Promise<RegistryListView> {
    return { registries: (await this.store.list()).map(viewOf) };
  }

  /** Forgets a registry with its login. Images that Swarm runs from there go on running. */
  @Delete(':name')
  @HttpCode(204)
  @Policy({ scope: 'admin' })
  async remove(@Param() { name }: RegistryParams, @CurrentPrincipal() { actor }: Principal): Promise<void> {
    if (!(await this.store.remove(name))) throw new DeployError('registry_not_found');
    await this.#audit(actor, 'registry.delete', name);
  }

  #audit(actor: Actor, action: string, target: string): Promise<void> {
    return this.trail.audit({ at: new Date().toISOString(), actor, action, target, outcome: 'succeeded' });
  }
}

function viewOf({ password: _, ...record }: RegistryRecord): RegistryView {
  return record;
}
