/** A request that is well-formed and still cannot be met, with the field that says so. */
import { DeployError, type ErrorCode } from '../../domain/errors.js';

export function refuse(code: ErrorCode, path: string, message: string): DeployError {
  return new DeployError(code, `${path}: ${message}`, { fields: [{ path, message }] });
}
