import { ParseError } from '../../parsers/parsed.ts';
import { perfScriptImport } from './perf-script-profile.ts';
import type { ProfileReader } from './profile-reader.ts';

/** Text of perf script, a profile for each event, the one with the most samples first. */
export function perfScriptReader(): ProfileReader {
  const { push, end } = perfScriptImport('tid', true);
  return {
    push,
    end() {
      const profiles = end();
      if (profiles.length === 0) {
        throw new ParseError('there is no sample in the text of perf script');
      }
      return profiles.toSorted((a, b) => b.samples - a.samples);
    },
  };
}
