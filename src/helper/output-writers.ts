import type { OutputFiles } from './output-files.ts';

/** Lets one program at a time write a file, so that no more of them exist than are counted. */
export type OutputWriters = Readonly<{
  /** Does the work when the last one that writes this file has ended. Null: it writes none. */
  alone<T>(file: string | null, work: () => Promise<T>): Promise<T>;
  /** At once, or when who writes it has ended: a file without a name would go on growing. */
  remove(file: string): void;
}>;

export function outputWriters(files: OutputFiles): OutputWriters {
  const writing = new Map<string, Promise<void>>();
  const unwanted = new Set<string>();

  return {
    async alone(file, work) {
      if (file === null) return await work();
      for (let last = writing.get(file); last; last = writing.get(file)) await last;
      files.begin(file);
      let end = (): void => {};
      writing.set(
        file,
        new Promise((resolve) => {
          end = resolve;
        }),
      );
      try {
        return await work();
      } finally {
        writing.delete(file);
        if (unwanted.delete(file)) files.remove(file);
        end();
      }
    },
    remove(file) {
      if (writing.has(file)) unwanted.add(file);
      else files.remove(file);
    },
  };
}
