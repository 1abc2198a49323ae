/** The command line: `posix-daemonize COMMAND`. */
import { program } from './program';

void program.parseAsync();
