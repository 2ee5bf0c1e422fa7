/** THE list of tools, in the order in which they are told. */
import { DeployAppTool } from './deploy-app.js';
import { DeployHistoryTool } from './deploy-history.js';
import { DeployLogsTool } from './deploy-logs.js';
import { DeployRollbackTool } from './deploy-rollback.js';
import { DeployStatusTool } from './deploy-status.js';
import { DeployValidateTool } from './deploy-validate.js';

export const TOOLS = [
  DeployAppTool,
  DeployStatusTool,
  DeployLogsTool,
  DeployRollbackTool,
  DeployValidateTool,
  DeployHistoryTool,
] as const;
