import * as z from 'zod/v4';
import type { Server } from './server.ts';

const Answer = z.looseObject({
  isError: z.boolean().optional(),
  content: z.array(z.looseObject({ text: z.string().optional() })),
  structuredContent: z.looseObject({ data: z.unknown(), warnings: z.array(z.string()) }).optional(),
});

/** Attaching takes ten times as long as on real hardware. */
const timeout = 300_000;

/**
 * What a tool answers: its data, checked against a schema, and its warnings; rejects with its error.
 * `onProgress` hears each second what it does at the moment.
 */
export async function callTool<T extends z.ZodType>(
  { client }: Server,
  name: string,
  args: Record<string, unknown>,
  schema: T,
  onProgress: (message: string) => void = () => {},
): Promise<Readonly<{ data: z.output<T>; warnings: readonly string[] }>> {
  const called = await client.callTool(
    { name, arguments: args },
    {
      timeout,
      onprogress: ({ message }) => onProgress(message ?? ''),
    },
  );
  const { isError, content, structuredContent } = Answer.parse(called);
  if (isError || !structuredContent) throw new Error(content[0]?.text ?? 'no answer');
  const { data, warnings } = structuredContent;
  return { data: schema.parse(data), warnings };
}
