/** The edge of HTTP as the audit trail sees it: one interceptor and one filter, for all routes there are and will be. */
import { Module } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';
import { AuditModule } from '../../modules/audit/index.js';
import { AuthModule } from '../../modules/auth/index.js';
import { AuditedRequests } from './audited-requests.js';
import { AuditFilter } from './audit.filter.js';
import { AuditInterceptor } from './audit.interceptor.js';

@Module({
  imports: [AuditModule, AuthModule],
  providers: [
    AuditedRequests,
    { provide: APP_INTERCEPTOR, useClass: AuditInterceptor },
    { provide: APP_FILTER, useClass: AuditFilter },
  ],
})
export class HttpAuditModule {}
