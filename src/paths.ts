import { fileURLToPath } from 'node:url';

/** The running bundle itself, for the helper processes that are modes of it. */
export const ownBundle = (): string => fileURLToPath(import.meta.url);
