/** Something this host cannot tell, why, and the command that changes it (null: nothing does). */
export type Unavailable = Readonly<{ what: string; reason: string; fix: string | null }>;

/** A picture for people and for models that see; those pay more for it than for text. */
export type Picture = Readonly<{ mimeType: 'image/png'; bytes: Uint8Array }>;

/** A resource for the client to read, which the answer is only the summary of. */
export type ResourceLink = Readonly<{ uri: string; name: string; mimeType: string }>;

/**
 * What a collector answers: the data and how it was measured. Fields of `data` that could not be
 * measured are null and have an entry in `unavailable`.
 */
export type Reading<T> = Readonly<{
  data: T;
  /** The programs and files that measured it, best first. */
  source: string;
  /** One to six lines that a person would say out loud. */
  summary: readonly string[];
  /** Length of the window behind every rate and percentage. */
  window_ms?: number;
  /** Set where rows were left out: how many there are in all, and how to get the rest. */
  truncated?: boolean;
  total?: number;
  next?: string;
  /** Set where a tracer ran. */
  lost_events?: number;
  warnings?: readonly string[];
  /** Resources that hold what the answer is about. */
  links?: readonly ResourceLink[];
  /** Stands beside the answer, not in it. */
  picture?: Picture | undefined;
  unavailable?: readonly Unavailable[];
}>;
