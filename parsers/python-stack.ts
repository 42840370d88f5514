/** A frame of Python: the function, and the line of it that was running. */
export type PythonFrame = Readonly<{ function_name: string; file: string; line: number | null }>;

/** Outermost first, and how often it was sampled. */
export type PythonStack = Readonly<{ frames: readonly PythonFrame[]; samples: number }>;
