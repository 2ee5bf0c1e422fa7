/** REST: the registries whose images are fetched, and where built ones are pushed to. */
import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { DeployError } from '../../domain/errors.js';
import { RegistryStore, Secrets, type RegistryRecord } from '../../domain/ports.js';
import { registryContext } from '../../domain/registry-address.js';
import { Audited, Policy } from '../auth/index.js';
import { refuse } from '../deployments/index.js';
import { RegistryListView, RegistryParams, RegistryView, StoreRegistryDto } from './registries.dto.js';

@ApiTags('registries')
@Controller('api/v1/registries')
export class RegistriesController {
  constructor(
    private readonly store: RegistryStore,
    private readonly secrets: Secrets,
  ) {}

  /** Stores a registry, in the place of one that has its name. */
  @Post()
  @Policy({ scope: 'admin' })
  @Audited('registry.store', ':name')
  async put(@Body() { name, url, username, password, default_push = false }: StoreRegistryDto): Promise<RegistryView> {
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
  @Audited('registry.delete', ':name')
  async remove(@Param() { name }: RegistryParams): Promise<void> {
    if (!(await this.store.remove(name))) throw new DeployError('registry_not_found');
  }
}

function viewOf({ password: _, ...record }: RegistryRecord): RegistryView {
  return record;
}
