import { createTheme, type MantineColor } from "@mantine/core";

/** Every colour and label that means something stands here, and nowhere else. */
export const theme = createTheme({
  primaryColor: "cyan",
  primaryShade: { light: 9, dark: 6 },
  autoContrast: true,
  defaultRadius: "md",
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', 'DejaVu Sans', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', Menlo, 'DejaVu Sans Mono', monospace",
});

export const tones = {
  good: "teal.9",
  wait: "orange.9",
  bad: "red.9",
  calm: "gray.7",
  info: "cyan.9",
} as const satisfies Record<string, MantineColor>;
export type Tone = keyof typeof tones;

const byWord: Readonly<Record<string, Tone>> = {
  granted: "good",
  met: "good",
  pass: "good",
  allow: "good",
  approve: "good",
  active: "good",
  pilot: "info",
  production: "info",
  experiment: "info",
  open: "wait",
  unmet: "wait",
  stale: "wait",
  insufficient_evidence: "wait",
  conditional: "wait",
  return: "wait",
  returned: "wait",
  high: "wait",
  deny: "bad",
  fail: "bad",
  errored: "bad",
  refuse: "bad",
  refused: "bad",
  suspended: "bad",
  revoked: "bad",
  expired: "bad",
  held: "bad",
  critical: "bad",
};

export function toneOf(word: string): Tone {
  return byWord[word] ?? "calm";
}

const labels: Readonly<Record<string, string>> = {
  insufficient_evidence: "insufficient evidence",
  "business-owner": "business owner",
  "technical-owner": "technical owner",
  "risk-owner": "risk owner",
  "authorizing-official": "authorizing official",
  "platform-engineer": "platform engineer",
  "security-engineer": "security engineer",
};

export function labelOf(word: string): string {
  return labels[word] ?? word;
}
