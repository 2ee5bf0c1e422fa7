/** REST: the releases of an app, with what they are made of. */
import { Controller, Get, Header, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Policy } from '../auth/index.js';
import { AppParams } from '../deployments/index.js';
import { DifferenceParams, EnvironmentQuery, ReleaseParams, ReleasesQuery } from './apps.dto.js';
import { AppsService } from './apps.service.js';
import { DifferencesView, ReleaseListView, ReleaseView } from './release.view.js';

const CYCLONEDX = 'application/vnd.cyclonedx+json';

@ApiTags('apps')
@Controller('api/v1/apps/:name/releases')
export class ReleasesController {
  constructor(private readonly apps: AppsService) {}

  /** Newest first. */
  @Get()
  @Policy({ scope: 'read', app: 'name' })
  list(
    @Param() { name }: AppParams,
    @Query() { environment = 'production', limit = 100, offset = 0 }: ReleasesQuery,
  ): Promise<ReleaseListView> {
    return this.apps.releases({ app_name: name, environment }, { limit, offset });
  }

  @Get(':release')
  @Policy({ scope: 'read', app: 'name' })
  view(
    @Param() { name, release }: ReleaseParams,
    @Query() { environment = 'production' }: EnvironmentQuery,
  ): Promise<ReleaseView> {
    return this.apps.release({ app_name: name, environment }, release);
  }

  /** Everything that its image is made of, in CycloneDX, where the plugin vulnerability-scan has kept it. */
  @Get(':release/sbom')
  @Policy({ scope: 'read', app: 'name' })
  @Header('Content-Type', CYCLONEDX)
  @ApiOkResponse({ content: { [CYCLONEDX]: { schema: { type: 'object' } } } })
  sbom(
    @Param() { name, release }: ReleaseParams,
    @Query() { environment = 'production' }: EnvironmentQuery,
  ): Promise<string> {
    return this.apps.sbom({ app_name: name, environment }, release);
  }

  /** What is different in the release `to`. Of environment variables and secrets only the names are told. */
  @Get(':from/diff/:to')
  @Policy({ scope: 'read', app: 'name' })
  differences(
    @Param() { name, from, to }: DifferenceParams,
    @Query() { environment = 'production' }: EnvironmentQuery,
  ): Promise<DifferencesView> {
    return this.apps.differences({ app_name: name, environment }, from, to);
  }
}
