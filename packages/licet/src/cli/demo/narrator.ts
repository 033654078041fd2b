import { painted, type Terminal } from "../terminal.ts";

/** How the story is told: what is done, as the command a person would type, and what came of it. */
export interface Narrator {
  title(text: string): void;
  text(text: string): void;
  command(text: string): void;
  good(text: string): void;
  refused(text: string): void;
  item(text: string): void;
}

export function narrator(terminal: Terminal): Narrator {
  return {
    title: (text) => terminal.out(`\n${painted(terminal, "bold", `== ${text}`)}`),
    text: (text) => terminal.out(text),
    command: (text) => terminal.out(painted(terminal, "cyan", `$ ${text}`)),
    good: (text) => terminal.out(`  ${painted(terminal, "green", "✓")} ${text}`),
    refused: (text) => terminal.out(`  ${painted(terminal, "yellow", "✗")} ${text}`),
    item: (text) => terminal.out(`    - ${text}`),
  };
}
