/** The audit trail: how changes get into it, and its REST routes. Needs AuditTrail from a global module. */
import { Module } from '@nestjs/common';
import { AbandonedChanges } from './abandoned-changes.js';
import { AuditController } from './audit.controller.js';
import { AuditReader } from './audit-reader.js';
import { Auditor } from './auditor.js';

@Module({ controllers: [AuditController], providers: [AbandonedChanges, Auditor, AuditReader], exports: [Auditor] })
export class AuditModule {}
