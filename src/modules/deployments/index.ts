/** What other parts may use of the deployments. */
export { BodyValidator } from './deploy-body.js';
export { DeploymentLifecycleTracker, TrackerOptions } from './deployment-lifecycle-tracker.js';
export { DeploymentsModule } from './deployments.module.js';
export { ImageCleanup, ImageCleanupOptions } from './image-cleanup.js';
export { Retirement } from './rollout/retirement.js';
export { RolloutOptions } from './rollout/rollouts.js';
export { DeploymentsService } from './deployments.service.js';
export { SourceWorkspace, WorkspaceOptions } from './source-workspace.js';
export { Uploads, UploadOptions } from './upload.js';
