import { Group, Text } from "@mantine/core";
import type { DecisionView } from "@licet/contract";
import type { ReactNode } from "react";
import { milliseconds, moneyText } from "../../parts/amounts.ts";
import { EntryLink } from "../../parts/entry-link.tsx";
import { PageLink } from "../../parts/links.tsx";
import { Moment } from "../../parts/moments.tsx";
import { Section } from "../../parts/states.tsx";
import { Rows } from "../../parts/tables.tsx";
import { Digest, Field, Word } from "../../parts/words.tsx";
import { labelOf } from "../../theme.ts";
import { useWho } from "../../who.ts";
import { listOf, loose, numberOf, text, type Loose } from "./loose.ts";

interface Shown {
  readonly decision: DecisionView;
  readonly detail: Loose;
}

const callFields = [
  ["endpoint", "Endpoint"],
  ["dialect", "Dialect"],
  ["provider", "Provider"],
  ["region", "Region"],
  ["upstreamModel", "Model at the provider"],
  ["stream", "Streamed"],
  ["requestBytes", "Request bytes"],
  ["credential", "Credential"],
] as const;

export function Call({ decision, detail }: Shown): ReactNode {
  return (
    <Section title="Call" note="Who asked for what.">
      <Field name="When">
        <Moment at={decision.at} />
      </Field>
      <Field name="System">
        {decision.system === null ? (
          "unknown"
        ) : (
          <PageLink to="/systems/$system" params={{ system: decision.system }} size="sm">
            {decision.system}
          </PageLink>
        )}
      </Field>
      <Field name="Deployment">{decision.deployment ?? "unknown"}</Field>
      <Field name="Release">{decision.release === null ? "unknown" : <Digest value={decision.release} />}</Field>
      <Field name="Action">{labelOf(decision.action)}</Field>
      {decision.model === null ? null : <Field name="Model">{decision.model}</Field>}
      {callFields
        .filter(([key]) => text(detail[key]) !== "")
        .map(([key, label]) => (
          <Field key={key} name={label}>
            {text(detail[key])}
          </Field>
        ))}
      <Field name="Gateway">
        {decision.gateway}, its decision number {decision.seq}
      </Field>
      <Field name="Record">
        <EntryLink id={decision.id} index={decision.logIndex} />
      </Field>
    </Section>
  );
}

const coverage: Readonly<Record<string, string>> = {
  full: "everything, before it went on",
  window: "everything, as it came, and nothing went on before it was looked at",
};

const unscanned = { request: "nothing: it was refused before its words were looked at, and nothing left", answer: "nothing: no answer went on" } as const;

/** What was looked at, what was found, and what was replaced. */
export function Scanned({ decision, detail }: Shown): ReactNode {
  const outcome = loose(decision.outcome);
  const sides = [
    ["request", detail],
    ["answer", outcome],
  ] as const;
  const found = sides.flatMap(([side, body]) => listOf(body["findings"]).map((item) => ({ side, item })));
  const replaced = sides.flatMap(([side, body]) => listOf(body["redactions"]).map((item) => ({ side, item })));
  return (
    <Section title="Scan" note="Kinds and counts; what was found itself is not kept here.">
      {sides.map(([side, body]) =>
        text(body["scanned"]) === "" ? null : (
          <Field key={side} name={`Of the ${side}`}>
            {text(body["scanned"]) === "none" ? unscanned[side] : (coverage[text(body["scanned"])] ?? text(body["scanned"]))}
          </Field>
        ),
      )}
      <Rows
        label="findings"
        head={["In", "Kind", "Class", "Count", "What was done"]}
        empty="Nothing was found."
        rows={found.map(({ side, item }, at) => ({ key: `${at} ${text(item["type"])}`, cells: [side, text(item["type"]), text(item["dataClass"]), text(item["count"]), text(item["action"]) === "" ? null : <Word key="a" value={text(item["action"])} />] }))}
      />
      {replaced.length === 0 ? null : (
        <Rows label="redactions" head={["In", "Replaced", "Count"]} empty="" rows={replaced.map(({ side, item }, at) => ({ key: `${at} ${text(item["type"])}`, cells: [side, text(item["type"]), text(item["count"])] }))} />
      )}
    </Section>
  );
}

const spans: Readonly<Record<string, string>> = {
  decisionMs: "until it could leave",
  connectionMs: "waiting for a connection to the provider",
  firstByteMs: "until the first byte of the answer",
  totalMs: "until the end",
};

function Timings({ timings }: { readonly timings: Loose }): ReactNode {
  const keys = [...Object.keys(spans), ...Object.keys(timings).filter((key) => spans[key] === undefined)];
  const known = keys.flatMap((key) => (typeof timings[key] === "number" ? [{ label: spans[key] ?? key, value: timings[key] }] : []));
  if (known.length === 0) return null;
  return (
    <Field name="Times">
      {known.map(({ label, value }) => (
        <Text size="sm" key={label}>
          {milliseconds(value)} {label}
        </Text>
      ))}
    </Field>
  );
}

/** As people read them; what else the provider counted comes after. */
const counted: readonly string[] = ["prompt", "completion", "total"];

function tokensIn(usage: Loose): readonly string[] {
  const keys = [...counted, ...Object.keys(usage).filter((key) => !counted.includes(key))];
  return keys.flatMap((key) => (typeof usage[key] === "number" ? [`${usage[key]} ${key}`] : []));
}

function Spent({ outcome }: { readonly outcome: Loose }): ReactNode {
  const usage = loose(outcome["usage"]);
  const cost = loose(outcome["cost"]);
  const micros = numberOf(cost["costMicros"]);
  const tokens = tokensIn(usage);
  return (
    <>
      {tokens.length === 0 ? null : <Field name="Tokens">{tokens.join(", ")}</Field>}
      {micros === undefined ? null : (
        <Field name="Cost">
          {moneyText(micros, text(cost["currency"]))}
          {cost["estimated"] === true ? ", estimated: the provider did not say what was used" : ""}
          {text(cost["priceDate"]) === "" ? "" : ` (price of ${text(cost["priceDate"])})`}
        </Field>
      )}
    </>
  );
}

function Attempts({ attempts }: { readonly attempts: readonly Loose[] }): ReactNode {
  if (attempts.length === 0) return null;
  return <Rows label="attempts" head={["Attempt", "What happened"]} empty="" rows={attempts.map((attempt, at) => ({ key: `${at}`, cells: [`${at + 1}`, Object.entries(attempt).map(([key, value]) => `${key} ${text(value)}`).join(", ")] }))} />;
}

const told: ReadonlySet<string> = new Set(["decision", "deployment", "release", "findings", "redactions", "scanned", "timings", "usage", "cost", "attempts", "finish", "status", "code", "shipped"]);

/** Where a gateway process that runs by itself has it. */
function OwnLog({ shipped }: { readonly shipped: Loose }): ReactNode {
  if (text(shipped["log"]) === "") return null;
  return (
    <Field name="In the gateway's own log">
      entry {text(shipped["index"])} of {text(shipped["log"])}, leaf <Digest value={text(shipped["leaf"])} />
    </Field>
  );
}

export function Outcome({ decision }: Shown): ReactNode {
  if (decision.decision === "deny" || decision.kind !== "gateway.decision") return null;
  const outcome = loose(decision.outcome);
  return (
    <Section title="Outcome" note="Recorded when the answer was over.">
      {decision.outcome === null ? (
        <Text size="sm">Not recorded: the call is still running, or its end was never reported.</Text>
      ) : (
        <>
          <Field name="End">
            <Group gap="xs">
              <Word value={text(outcome["finish"])} />
              <Text size="sm">
                the caller got status {text(outcome["status"])}
                {text(outcome["code"]) === "" ? "" : `, ${labelOf(text(outcome["code"]))}`}
              </Text>
            </Group>
          </Field>
          <Timings timings={loose(outcome["timings"])} />
          <Spent outcome={outcome} />
          <Attempts attempts={listOf(outcome["attempts"])} />
          <OwnLog shipped={loose(outcome["shipped"])} />
          {Object.entries(outcome)
            .filter(([key, value]) => !told.has(key) && text(value) !== "")
            .map(([key, value]) => (
              <Field key={key} name={key.replaceAll(/([A-Z])/gu, " $1").toLowerCase().replace(/^./u, (letter) => letter.toUpperCase())}>
                {text(value)}
              </Field>
            ))}
        </>
      )}
    </Section>
  );
}

/** The words themselves are other entries, sealed under keys of their own; most roles may not open them. */
export function Content({ decision, detail }: Shown): ReactNode {
  const { may } = useWho();
  const parts = [
    ["prompt", text(detail["content"])],
    ["answer", text(loose(decision.outcome)["content"])],
  ].filter(([, id]) => id !== "");
  if (parts.length === 0) return null;
  return (
    <Section title="Words" note="Recorded because this space keeps the words of such calls.">
      {parts.map(([part = "", id = ""]) => (
        <Field key={part} name={part}>
          {may("content.read") ? (
            <PageLink to="/log/$entry" params={{ entry: id }} size="sm">
              open what was said
            </PageLink>
          ) : (
            "Prompts and answers are opened for security engineers and auditors only."
          )}
        </Field>
      ))}
    </Section>
  );
}
