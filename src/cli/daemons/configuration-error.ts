import { exitCodes } from '../exit-codes';
import { Failure } from '../failure';

/** The file that describes daemons is not as it must be. */
export class ConfigurationError extends Failure {
  constructor(message: string, hint?: string) {
    super(message, exitCodes.notConfigured, hint);
  }
}
ConfigurationError.prototype.name = 'ConfigurationError';
