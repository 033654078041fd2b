import type { RouteAnswer } from "@licet/contract";
import { exitCodes, type ExitCode } from "./failure.ts";
import { projectHere, type SubjectOptions } from "./project.ts";
import { connect } from "./session.ts";
import { columns, painted, type Terminal } from "./terminal.ts";

type Assessment = RouteAnswer<"giveAnswer">;

function print(assessment: Assessment, terminal: Terminal): void {
  terminal.out(`tier ${painted(terminal, "bold", assessment.tier)}`);
  for (const reason of assessment.prohibited) terminal.out(painted(terminal, "red", `prohibited: ${reason}`));
  for (const line of assessment.arithmetic) terminal.out(`  ${line}`);
  terminal.out(columns([["QUESTION", "LEVEL", "FROM", "MEANING"], ...assessment.score.map((row) => [`${row.id} ${row.dimension}`, String(row.level), row.source, row.meaning])]));
  if (assessment.open.length > 0) terminal.out("only a person may answer; until then the stricter branch holds:");
  for (const open of assessment.open) terminal.out(`  ${open.question}: ${open.text} (${open.turn})`);
}

export async function runAssess(options: SubjectOptions & { readonly json?: boolean }, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const detail = await client("showSystem", { params: { space, system: projectHere(options).system } });
  if (options.json === true) terminal.out(JSON.stringify(detail.assessment, null, 2));
  else print(detail.assessment, terminal);
  return exitCodes.fine;
}

export async function runAnswer(question: string, options: SubjectOptions & { readonly value: "yes" | "no"; readonly reason: string }, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const assessment = await client("giveAnswer", { params: { space, system: projectHere(options).system }, body: { question, value: options.value, reason: options.reason } });
  print(assessment, terminal);
  return exitCodes.fine;
}
