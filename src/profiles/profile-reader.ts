import type { StackProfile } from './stack-profile.ts';

/** Takes a file in pieces; gives a profile for each event in it. ParseError where it is none. */
export type ProfileReader = Readonly<{
  push(bytes: Uint8Array): void;
  end(): readonly StackProfile[];
}>;
