import { ParseError } from '../../parsers/parsed.ts';
import { foldedImport } from './folded-import.ts';
import type { StackProfile } from './stack-profile.ts';

/**
 * Folded stacks of any program. What the first frame is (a task, a function) the format does not
 * tell: it stays a frame.
 *
 * @throws ParseError where most lines are not of that form
 */
export function readFolded(text: string): StackProfile {
  const profile = foldedImport(text, { first: 'frame' });
  if (profile.stacks.length <= profile.warnings.length)
    throw new ParseError('these are no folded stacks');
  return profile;
}
