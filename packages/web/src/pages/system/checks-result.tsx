import { Anchor, Code, List, Text } from "@mantine/core";
import { interpreterWords, servedWords, type CheckResult, type RouteAnswer } from "@licet/contract";
import type { ReactNode } from "react";
import { space, useRoute } from "../../api.ts";
import { EntryLink } from "../../parts/entry-link.tsx";
import { Moment } from "../../parts/moments.tsx";
import { Loaded, Section } from "../../parts/states.tsx";
import { Rows } from "../../parts/tables.tsx";
import { Digest, Field, Prose, Word } from "../../parts/words.tsx";
import { attemptText, outcomeText, reuseText } from "./attempts-words.ts";
import { Figures } from "./checks-rows.tsx";
import { figure, isInput, limitText, producerText, whyText } from "./checks-words.ts";

type Shown = RouteAnswer<"showCheckResult">;

const notesMax = 50;
const basisCharactersMax = 20_000;

function side(bound: number | null): string {
  return bound === null ? "open" : figure(bound);
}

function intervalText(interval: CheckResult["interval"]): string {
  if (interval === null) return "none";
  if (interval.method === "census") return "none: everything was counted";
  return `${side(interval.lower)} to ${side(interval.upper)}: ${interval.method}, ${interval.sides === 1 ? "each side" : "both sides together"} at ${figure(interval.level * 100)} %`;
}

function countedText({ attempted, assessed, unassessed }: CheckResult["counts"]): string {
  const answered = `${assessed.toLocaleString()} of ${attempted.toLocaleString()} assessed`;
  return unassessed === 0 ? answered : `${answered}, ${unassessed.toLocaleString()} without an answer`;
}

/** What the CI's issuer signed of the run; the address was made from it by the server. */
function CiRun({ run: { repository, ref, commit, workflow, runId, runUrl } }: { readonly run: NonNullable<Shown["recorded"]["provenance"]> }): ReactNode {
  const number = runId === null ? "run" : `run ${runId}`;
  return (
    <Field name="CI run">
      {repository} {ref} {commit === null ? "" : `at ${commit.slice(0, 12)}`}, {workflow},{" "}
      {runUrl?.startsWith("https://") === true ? (
        <Anchor href={runUrl} target="_blank" rel="noreferrer" size="sm">
          {number}
        </Anchor>
      ) : (
        number
      )}
    </Field>
  );
}

function Facts({ shown: { recorded, result } }: { readonly shown: Shown }): ReactNode {
  return (
    <>
      <Field name="Measured">{result.unit}</Field>
      <Field name="Limit">{`${limitText(result.limit)}, judged at alpha ${figure(result.limit.alpha)}`}</Field>
      <Field name="Interval">{intervalText(result.interval)}</Field>
      <Field name="Cases">{countedText(result.counts)}</Field>
      <Field name="Produced by">
        {producerText(recorded)}, <Moment at={recorded.at} />; {recorded.counts ? "counts" : "does not count"} at the tier of release {recorded.releaseNumber}
      </Field>
      {recorded.provenance === null ? null : <CiRun run={recorded.provenance} />}
      <Field name="Ticket">
        <Digest value={recorded.ticket} /> seed <Digest value={result.seed} />
      </Field>
      <Field name="Attempt">
        {attemptText(recorded)}
        {result.attempt.previous.length === 0 ? "" : `; before it: ${result.attempt.previous.join(", ")}`}
      </Field>
      {recorded.repeats.map((outcome) => (
        <Field key={outcome.entry} name="Made again">
          {outcomeText(outcome)} <EntryLink id={outcome.entry} />
        </Field>
      ))}
      {(result.reuse ?? []).map((use) => (
        <Field key={use.id} name={`Use of ${use.id}`}>
          {reuseText(use)}
        </Field>
      ))}
      <Field name="Engine">
        {result.engine.name} {result.engine.version} <Digest value={result.engine.digest} />
      </Field>
      {result.subject.interpreter === undefined ? null : <Field name="Interpreter">{interpreterWords(result.subject.interpreter)}</Field>}
      {result.subject.served === undefined ? null : <Field name="Endpoint">{servedWords(result.subject.served)}</Field>}
      <Field name="Cost">{`${result.cost.queries.toLocaleString()} queries, ${figure(result.cost.wallMs / 1000, 3)} s`}</Field>
      <Field name="Record">
        <EntryLink id={recorded.entry} />
      </Field>
    </>
  );
}

function Inputs({ result }: { readonly result: CheckResult }): ReactNode {
  const { subject, inputs } = result;
  const tested = isInput(result) ? [] : [{ role: `tested, ${subject.kind}`, id: subject.id, digest: subject.digest, rows: "" }];
  const read = [...tested, ...inputs.map((input) => ({ ...input, rows: input.rows.toLocaleString() }))];
  return (
    <Rows
      label="inputs"
      head={["Used as", "Name", "Digest", "Rows"]}
      empty=""
      rows={read.map((input) => ({ key: `${input.role} ${input.id}`, cells: [input.role.replaceAll("_", " "), input.id, input.digest === null ? "not read" : <Digest key="d" value={input.digest} />, input.rows] }))}
    />
  );
}

function Notes({ notes }: { readonly notes: readonly string[] }): ReactNode {
  if (notes.length === 0) return null;
  return (
    <div>
      <Text size="sm" fw={600}>
        Notes
      </Text>
      <List size="sm">
        {[...new Set(notes)].slice(0, notesMax).map((note) => (
          <List.Item key={note}>
            <Prose>{note}</Prose>
          </List.Item>
        ))}
      </List>
      {notes.length > notesMax ? <Text size="sm" c="dimmed">{`The first ${notesMax} of ${notes.length.toLocaleString()}; the entry has all.`}</Text> : null}
    </div>
  );
}

function Basis({ basis }: Pick<CheckResult, "basis">): ReactNode {
  const text = JSON.stringify(basis, null, 2);
  return (
    <details>
      <summary>
        <Text size="sm" span>
          Figures that the verdict follows from
        </Text>
      </summary>
      <Code block className="exact" tabIndex={0} role="region" aria-label="figures">
        {text.slice(0, basisCharactersMax)}
      </Code>
      {text.length > basisCharactersMax ? <Text size="sm" c="dimmed">Cut here; the entry has all.</Text> : null}
    </details>
  );
}

function Whole({ shown }: { readonly shown: Shown }): ReactNode {
  const { recorded, result } = shown;
  return (
    <>
      <div>
        <Word value={result.verdict} />
        <Text size="sm">
          <Prose>{whyText(recorded)}</Prose>
        </Text>
      </div>
      <Figures recorded={recorded} />
      <Facts shown={shown} />
      <Inputs result={result} />
      <Notes notes={result.notes} />
      <Basis basis={result.basis} />
    </>
  );
}

/** One result in full. It never changes, so it is read once. */
export function OneResult({ system, check, result, title }: { readonly system: string; readonly check: string; readonly result: string; readonly title: string }): ReactNode {
  const query = useRoute("showCheckResult", { params: { space, system, check, result } }, { once: true });
  return (
    <Section id="result" title={title}>
      <Loaded query={query}>{(shown) => <Whole shown={shown} />}</Loaded>
    </Section>
  );
}
