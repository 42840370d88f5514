/** A capture that is kept: what it is, and its files beside it. */
export type Manifest = Readonly<{
  id: string;
  kind: string;
  created_at: string;
  /** Shown in lists: what was captured, in words. */
  title: string;
  bytes: number;
}>;

export function isManifest(value: unknown): value is Manifest {
  return (
    typeof value === 'object' &&
    value !== null &&
    'id' in value &&
    'created_at' in value &&
    typeof value.created_at === 'string' &&
    'bytes' in value &&
    typeof value.bytes === 'number'
  );
}
