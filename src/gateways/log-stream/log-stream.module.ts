/** The WebSocket log stream; `main` gives the application a LogStreamAdapter, the composition root brings the parts. */
import { Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import { LogFanOut } from './log-fan-out.js';
import { LogReplay } from './log-replay.js';
import { LogStreamGateway } from './log-stream.gateway.js';
import { LogStreamServer } from './log-stream.server.js';
import { StreamAdmission } from './stream-admission.js';
import { StreamRefusals } from './stream-refusals.js';

@Module({
  providers: [LogStreamGateway, LogStreamServer, LogFanOut, LogReplay, StreamAdmission, StreamRefusals],
  exports: [LogStreamServer],
})
export class LogStreamModule {
  /** `imports` bring Auditor, LogHub, LogStore, DeploymentStore, LogStreamOptions and, off loopback, a StreamAuthenticator. */
  static register(imports: NonNullable<ModuleMetadata['imports']>): DynamicModule {
    return { module: LogStreamModule, imports };
  }
}
