import { createTheme, defaultVariantColorsResolver, type CSSVariablesResolver, type VariantColorsResolver } from "@mantine/core";

const toneNames = ["good", "wait", "bad", "calm", "info"] as const;
/** What a colour means here; every colour and label that means something stands in this file. */
export type Tone = (typeof toneNames)[number];

export const tones = { good: "good", wait: "wait", bad: "bad", calm: "calm", info: "info" } as const satisfies Readonly<Record<Tone, Tone>>;

interface Shades {
  readonly soft: string;
  readonly text: string;
  readonly line: string;
  readonly solid: string;
  readonly deep: string;
}

/** Text on soft, and white on solid and deep, have a contrast of at least 4.5 to 1. */
const light: Readonly<Record<Tone, Shades>> = {
  good: { soft: "#e6f6ef", text: "#0b5c40", line: "#b4dfcc", solid: "#0b6b4b", deep: "#07533a" },
  wait: { soft: "#fdf1e0", text: "#7d3d00", line: "#f0cf9c", solid: "#9a4a00", deep: "#7d3d00" },
  bad: { soft: "#fdecec", text: "#a11616", line: "#f3bcbc", solid: "#b01c1c", deep: "#8f1414" },
  calm: { soft: "#eef0f2", text: "#3f474f", line: "#d3d8dd", solid: "#495057", deep: "#343a40" },
  info: { soft: "#e5f4f8", text: "#0b5568", line: "#b3dce7", solid: "#0b6579", deep: "#084e5e" },
};

const dark: Readonly<Record<Tone, Shades>> = {
  good: { soft: "#10342a", text: "#86e0ba", line: "#1f5c49", solid: "#0f7a56", deep: "#0c6547" },
  wait: { soft: "#3a2608", text: "#ffc078", line: "#6b4513", solid: "#a0540a", deep: "#854507" },
  bad: { soft: "#3d1416", text: "#ffa8a8", line: "#7a2a2d", solid: "#c02828", deep: "#a31f1f" },
  calm: { soft: "#2b2f33", text: "#ced4da", line: "#454b51", solid: "#5c636a", deep: "#4a5056" },
  info: { soft: "#0c313c", text: "#7fd8ec", line: "#1c5c6e", solid: "#0c758d", deep: "#095f73" },
};

function variablesOf(shades: Readonly<Record<Tone, Shades>>): Record<string, string> {
  return Object.fromEntries(toneNames.flatMap((tone) => Object.entries(shades[tone]).map(([shade, value]) => [`--tone-${tone}-${shade}`, value])));
}

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: { ...variablesOf(light), "--mantine-color-dimmed": "#59616a", "--mantine-color-placeholder": "#636b74", "--mantine-color-error": light.bad.text, "--mantine-color-cyan-filled-hover": "#095f70" },
  dark: { ...variablesOf(dark), "--mantine-color-dimmed": "#aab1b9", "--mantine-color-placeholder": "#9aa1a9", "--mantine-color-error": dark.bad.text, "--mantine-color-cyan-filled-hover": "#095f70" },
});

const byTone: VariantColorsResolver = (input) => {
  const tone = toneNames.find((name) => name === input.color);
  if (tone === undefined) return defaultVariantColorsResolver(input);
  const shade = (name: keyof Shades): string => `var(--tone-${tone}-${name})`;
  if (input.variant === "filled") return { background: shade("solid"), hover: shade("deep"), color: "#fff", border: "1px solid transparent" };
  return { background: shade("soft"), hover: shade("line"), color: shade("text"), border: `1px solid ${shade("line")}` };
};

export const theme = createTheme({
  primaryColor: "cyan",
  primaryShade: 9,
  autoContrast: true,
  respectReducedMotion: true,
  defaultRadius: "md",
  variantColorResolver: byTone,
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', 'DejaVu Sans', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', Menlo, 'DejaVu Sans Mono', monospace",
});

const wordsOf: Readonly<Record<Exclude<Tone, "calm">, readonly string[]>> = {
  good: ["granted", "met", "pass", "allow", "approve", "active", "done"],
  info: ["experiment", "pilot", "production", "you"],
  wait: ["open", "unmet", "stale", "insufficient_evidence", "missing", "conditional", "return", "returned", "high", "waiting", "awaiting_repeat", "running", "in-force", "warn", "warning"],
  bad: ["deny", "denied", "fail", "errored", "aborted", "disputed", "refuse", "refused", "suspended", "revoked", "expired", "held", "critical", "prohibited", "failed", "error"],
};

const byWord: ReadonlyMap<string, Tone> = new Map(toneNames.flatMap((tone) => (tone === "calm" ? [] : wordsOf[tone].map((word) => [word, tone] as const))));

export function toneOf(word: string): Tone {
  return byWord.get(word) ?? "calm";
}

const labels: Readonly<Record<string, string>> = {
  approve: "approved",
  return: "returned",
  refuse: "refused",
  allow: "allowed",
  deny: "denied",
  callModel: "call a model",
  "server-asserted": "server-asserted",
};

/** Words of the record as people read them: `insufficient_evidence` and `risk-owner` lose their joints. */
export function labelOf(word: string): string {
  return labels[word] ?? (/^[a-z]+(?:[-_][a-z]+)+$/u.test(word) ? word.replaceAll(/[-_]/gu, " ") : word);
}
