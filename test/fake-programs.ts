import type { Command } from '../allowlist/command.ts';
import type { Context } from '../src/context.ts';
import { TracewrightError } from '../src/errors.ts';
import { ended } from './ended.ts';

/** What a program prints when it is asked with these words; null where it is not installed. */
export type Answers = (words: string) => string | null;

/** The part of a context that runs programs, over recorded answers. `asked` fills as they run. */
export function fakePrograms(answers: Answers, asked: string[] = []): Pick<Context, 'run'> {
  return {
    run(command: Command) {
      const words = [command.program.name, ...command.args].join(' ');
      asked.push(words);
      const stdout = answers(words);
      if (stdout === null) {
        const missing = `${command.program.name} is not installed.`;
        return Promise.reject(new TracewrightError('TOOL_NOT_FOUND', missing, 'install it'));
      }
      return Promise.resolve({ ...ended, stdout });
    },
  };
}
