import type { Cause, Finding, TriageFacts } from './triage-facts.ts';
import { type Rule, rules } from './triage-rules.ts';

const base_confidence = 45;
const per_support = 12;
const per_contradiction = 25;

/** Causes of the findings, likeliest first; none on a healthy host. */
export function triageCauses(facts: TriageFacts, findings: readonly Finding[]): readonly Cause[] {
  const byId = new Map(findings.map((finding) => [finding.id, finding]));
  return rules
    .filter((rule) => rule.needs.some((id) => byId.has(id)) && (rule.applies?.(facts) ?? true))
    .map((rule) => judge(rule, facts, byId))
    .filter(({ confidence }) => confidence >= 30)
    .sort((a, b) => b.confidence - a.confidence);
}

function judge(rule: Rule, facts: TriageFacts, byId: ReadonlyMap<string, Finding>): Cause {
  const supporting = [...new Set([...rule.needs, ...rule.supports])].filter((id) => byId.has(id));
  const contradicting = rule.against?.(facts) ?? [];
  const agreed = base_confidence + per_support * (supporting.length - 1) + rule.weight(facts);
  // However much agrees, what contradicts it counts.
  const confidence = Math.min(95, agreed) - per_contradiction * contradicting.length;
  const isCritical = supporting.some((id) => byId.get(id)?.severity === 'critical');
  return {
    id: rule.id,
    title: rule.title(facts),
    category: rule.category,
    severity: isCritical ? 'critical' : 'warning',
    confidence: Math.max(0, Math.round(confidence)),
    description: rule.description(facts),
    supportingFindings: supporting,
    contradicting,
    suggestedActions: rule.actions(facts),
  };
}
