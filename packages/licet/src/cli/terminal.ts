import { styleText } from "node:util";

/** Where commands write. Tests hand in their own; colour only where a person is reading. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** A line that the next one takes the place of, empty at the end. Absent where nobody is watching. */
  readonly live?: (text: string) => void;
  readonly colour: boolean;
  /** Columns, for wrapping. */
  readonly width: number;
}

export const processTerminal: Terminal = {
  out: (text) => {
    process.stdout.write(`${text}\n`);
  },
  err: (text) => {
    process.stderr.write(`${text}\n`);
  },
  ...(process.stderr.isTTY && {
    live: (text: string) => {
      process.stderr.write(`\r\u001b[2K${text}`);
    },
  }),
  colour: process.stdout.isTTY && process.env["NO_COLOR"] === undefined,
  width: process.stdout.columns ?? 100,
};

type Style = Parameters<typeof styleText>[0];

export function painted(terminal: Terminal, style: Style, text: string): string {
  return terminal.colour ? styleText(style, text, { validateStream: false }) : text;
}

/** `2026-11-21 10:39 UTC`: one form everywhere, never a bare local time. */
export function timeText(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** How long ago, in the largest unit that says something. */
export function ageText(since: number, now: number): string {
  const minutes = Math.max(0, Math.floor((now - since) / 60_000));
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

/** Left-aligned columns, two spaces apart; the last one is not padded. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows
    .map((row) => row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0))).join("  ").trimEnd())
    .join("\n");
}
