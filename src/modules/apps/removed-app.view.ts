/** What a removal took away, and what it left. */
import { ApiProperty } from '@nestjs/swagger';

export class RemovedView {
  /** How many releases were forgotten. */
  releases!: number;
  /** Host names that are free for other apps now. */
  @ApiProperty({ type: [String] })
  hosts!: readonly string[];
  services!: string[];
  volumes!: string[];
}

export class KeptView {
  @ApiProperty({ enum: ['volume', 'history'] })
  kind!: 'volume' | 'history';
  name!: string;
  reason!: string;
}

export class RemovedAppView {
  app_name!: string;
  environment!: string;
  removed!: RemovedView;
  kept!: KeptView[];
}
