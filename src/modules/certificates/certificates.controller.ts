/** REST: certificates. A private key goes in and never comes out. */
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { matchesPattern } from '../../domain/app-pattern.js';
import { DeployError } from '../../domain/errors.js';
import { DeploymentStore, type CertificateRecord, type Principal } from '../../domain/ports.js';
import { Audited, CurrentPrincipal, Policy } from '../auth/index.js';
import { certificateView, CertificateListView, CertificateView } from './certificate.view.js';
import {
  AppCertificatesQuery,
  CertificateAppParams,
  CertificateParams,
  CertificatesQuery,
  OwnCertificateDto,
  RevocationQuery,
} from './certificates.dto.js';
import { CertificatesService } from './certificates.service.js';

@ApiTags('certificates')
@Controller('api/v1')
export class CertificatesController {
  constructor(
    private readonly certificates: CertificatesService,
    private readonly deployments: DeploymentStore,
  ) {}

  /** Newest first: those that work, those that are on their way, and why one cannot be had. */
  @Get('certificates')
  @Policy({ scope: 'read' })
  async list(
    @Query() { app_name }: CertificatesQuery,
    @CurrentPrincipal() { apps }: Principal,
  ): Promise<CertificateListView> {
    return this.#list({ ...(app_name && { app_name }), ...(apps && { apps }) });
  }

  @Get('apps/:name/certificates')
  @Policy({ scope: 'read', app: 'name' })
  async ofApp(
    @Param() { name }: CertificateAppParams,
    @Query() { environment }: AppCertificatesQuery,
  ): Promise<CertificateListView> {
    await this.#requireExisting(name);
    return this.#list({ app_name: name, ...(environment && { environment }) });
  }

  /** Serves an own certificate; it takes the place of the app's own ones for the same names, and comes before ordered ones. */
  @Put('apps/:name/certificates')
  @Audited('certificate.upload', ':name/:environment=production')
  @Policy({ scope: 'apps:write', app: 'name' })
  async upload(
    @Param() { name }: CertificateAppParams,
    @Body() { environment = 'production', ...order }: OwnCertificateDto,
  ): Promise<CertificateView> {
    await this.#requireExisting(name);
    return certificateView(await this.certificates.upload({ app_name: name, environment }, order));
  }

  /** Orders it anew in the background, however fresh it is; the one there is stays until the next one works. */
  @Post('certificates/:id/renew')
  @Audited('certificate.renew', ':id')
  @Policy({ scope: 'apps:write' })
  @HttpCode(202)
  async renew(@Param() { id }: CertificateParams, @CurrentPrincipal() principal: Principal): Promise<CertificateView> {
    const record = await this.#visible(id, principal);
    return certificateView(await this.certificates.renew(record));
  }

  /** Revokes an ordered one at its authority, then removes it. */
  @Delete('certificates/:id')
  @Audited('certificate.delete', ':id')
  @Policy({ scope: 'apps:write' })
  @HttpCode(204)
  async remove(
    @Param() { id }: CertificateParams,
    @Query() { reason = 'unspecified' }: RevocationQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<void> {
    await this.certificates.remove(await this.#visible(id, principal), reason);
  }

  async #list(filter: Parameters<CertificatesService['list']>[0]): Promise<CertificateListView> {
    return { certificates: (await this.certificates.list(filter)).map(certificateView) };
  }

  async #requireExisting(name: string): Promise<void> {
    if (!(await this.deployments.appExists(name))) throw new DeployError('app_not_found');
  }

  /** A certificate of a foreign app is not there, as far as this principal can tell. */
  async #visible(id: string, { apps }: Principal): Promise<CertificateRecord> {
    const record = await this.certificates.find(id);
    const mayUse = apps?.some((pattern) => matchesPattern(record.app_name, pattern)) ?? true;
    if (!mayUse) throw new DeployError('certificate_not_found');
    return record;
  }
}
