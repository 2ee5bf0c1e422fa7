/** Registries: the REST routes; the adapters of Docker read the store themselves. */
import { Module } from '@nestjs/common';
import { RegistriesController } from './registries.controller.js';

@Module({ controllers: [RegistriesController] })
export class RegistriesModule {}
