/** The body of `POST /api/v1/validate`: that of a deploy, and what is to be tried out. */
import { IsBoolean } from 'class-validator';
import { DeployDto } from '../deploy.dto.js';
import { MayBeLeftOut } from '../field-forms.js';

/** Without image, source and uploaded part, the app is validated as it is live, with what else is asked for. */
export class ValidateDto extends DeployDto {
  /** Builds or fetches the image, and runs the app's tests in it: those of the plugin `run-tests`. */
  @MayBeLeftOut() @IsBoolean() run_tests?: boolean;

  /** Builds or fetches the image, and looks for known vulnerabilities in it, whatever the validation level. */
  @MayBeLeftOut() @IsBoolean() run_security_scan?: boolean;
}
