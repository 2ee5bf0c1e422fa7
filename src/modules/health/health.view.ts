/** What the health routes answer. */
import { ApiProperty } from '@nestjs/swagger';

export class LivenessView {
  status!: 'up';
}

export class DependencyView {
  status!: 'up' | 'down';
  /** Why it is down. */
  reason?: string;
}

export class ReadinessView {
  status!: 'ready' | 'not_ready';
  /** Each thing this process depends on, by name. */
  @ApiProperty({ type: 'object', additionalProperties: { $ref: '#/components/schemas/DependencyView' } })
  dependencies!: Record<string, DependencyView>;
}
