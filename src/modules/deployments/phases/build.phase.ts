/** build: from the source to an image that Swarm can run by its digest. */
import { Injectable } from '@nestjs/common';
import type { PhaseOutputs } from '../../../domain/deployment.js';
import { Images, type ImageView } from '../../../domain/ports.js';
import { buildOrder } from '../build-order.js';
import type { DeploymentSession } from '../deployment-session.js';
import { PhaseHandler } from '../phase-handler.js';
import { SourceWorkspace } from '../source-workspace.js';

@Injectable()
export class BuildPhase extends PhaseHandler {
  readonly phase = 'build';

  constructor(
    private readonly images: Images,
    private readonly workspace: SourceWorkspace,
  ) {
    super();
  }

  async run(session: DeploymentSession): Promise<PhaseOutputs> {
    const image = await this.#image(session);
    await this.workspace.dispose(session.record.id);
    session.log('info', `Image ${image.reference}`);
    return { image: image.reference, image_digest: image.digest };
  }

  async #image(session: DeploymentSession): Promise<ImageView> {
    const { source } = session.record.spec;
    if (source.kind === 'image') return this.images.resolve(source.image, session.output, session.signal);
    // The tag belongs to this deployment: an image that has it was built by an attempt whose worker died before its commit.
    const built = (await this.images.inspect(session.tag)) ?? (await this.#build(session));
    const { app_name } = session.state.identity;
    return (await this.images.push(built, app_name, session.record.id, session.output, session.signal)) ?? built;
  }

  async #build(session: DeploymentSession): Promise<ImageView> {
    const workspace = await this.workspace.open(session.record, session.signal);
    if ('image' in workspace) return this.images.resolve(workspace.image, session.output, session.signal);
    return this.images.build(buildOrder(workspace, session.state.identity), session.output, session.signal);
  }
}
