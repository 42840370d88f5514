/** Something worth telling, with what it rests on. */
export type Finding = Readonly<{
  id: string;
  severity: 'critical' | 'warning' | 'info' | 'ok';
  title: string;
  description: string;
  category: string;
  /** 0 to 100. */
  confidence: number;
  metrics: Readonly<Record<string, number | string>>;
  suggestion?: string;
}>;

export type Evidence = Readonly<{
  source: string;
  type: 'metric' | 'trace' | 'profile' | 'log' | 'sample';
  timestamp: string;
  data: Readonly<Record<string, unknown>>;
}>;
