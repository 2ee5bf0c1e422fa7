/** What other parts may use of the registries. */
export { RegistriesModule } from './registries.module.js';
