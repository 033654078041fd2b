import { Alert, Code, Group, List, Text } from "@mantine/core";
import type { PolicyExplanation } from "@licet/contract";
import type { ReactNode } from "react";
import { Section } from "../../parts/states.tsx";
import { Rows } from "../../parts/tables.tsx";
import { Digest, Field, Prose, Word } from "../../parts/words.tsx";
import { labelOf, tones } from "../../theme.ts";

type Reason = PolicyExplanation["reasons"][number];

function Reasons({ label, empty, reasons }: { readonly label: string; readonly empty: string; readonly reasons: readonly Reason[] }): ReactNode {
  return (
    <Rows
      label={label}
      head={["Policy", "What it demands", "What to do", "Turn"]}
      empty={empty}
      rows={reasons.map((reason) => ({
        key: reason.policy,
        cells: [
          <Code key="p">{reason.policy}</Code>,
          <Text key="r" size="sm">
            {reason.title ?? reason.requirement ?? ""}
          </Text>,
          <Prose key="d">{reason.remedy ?? ""}</Prose>,
          (reason.turn ?? "").split(", ").map(labelOf).join(", "),
        ],
      }))}
    />
  );
}

interface Condition {
  /** As Cedar has it. */
  readonly text: string;
  /** The same for readers; empty where the server says none. */
  readonly sentence: string;
}

/** What is still open, as the server tells it; other forms are shown as they came. */
function conditionsOf(residual: PolicyExplanation["residual"]): readonly Condition[] {
  if (typeof residual !== "object" || residual === null || Array.isArray(residual)) return [];
  const open = residual["wouldAllowIf"];
  if (!Array.isArray(open)) return [];
  return open.map((each) => {
    if (typeof each !== "object" || each === null || Array.isArray(each) || typeof each["text"] !== "string") return { text: typeof each === "string" ? each : JSON.stringify(each), sentence: "" };
    return { text: each["text"], sentence: typeof each["sentence"] === "string" ? each["sentence"] : "" };
  });
}

function Open({ explanation }: { readonly explanation: PolicyExplanation }): ReactNode {
  const conditions = conditionsOf(explanation.residual);
  if (explanation.decision === "allow" || conditions.length === 0) return null;
  return (
    <Section title="Would be allowed if" note="What still has to hold, in words and as the policies have it.">
      <List size="sm">
        {conditions.map(({ text, sentence }) => (
          <List.Item key={text}>
            {sentence === "" ? null : <Prose>{sentence}</Prose>}
            <Code display="block" style={{ whiteSpace: "pre-wrap" }}>
              {text}
            </Code>
          </List.Item>
        ))}
      </List>
    </Section>
  );
}

export function Explained({ explanation }: { readonly explanation: PolicyExplanation }): ReactNode {
  const { decision, reasons, warnings, shadowed, errors } = explanation;
  return (
    <>
      <Section title="Decision">
        <Group gap="sm" role="status">
          <Word value={decision} />
          <Text size="sm">{decision === "allow" ? "by the policies below" : reasons.length === 0 ? "no policy permits it" : `${reasons.length} ${reasons.length === 1 ? "policy forbids" : "policies forbid"} it`}</Text>
        </Group>
        {errors.length === 0 ? null : (
          <Alert color={tones.bad} title="What could not be evaluated denies">
            {errors.map((error) => (
              <Text key={error.policy} size="sm">
                <Code>{error.policy}</Code> {error.message}
              </Text>
            ))}
          </Alert>
        )}
        <Reasons label="deciding policies" empty="No policy determined it." reasons={reasons} />
        <Field name="Policies">
          <Digest value={explanation.digest} />
        </Field>
      </Section>
      <Open explanation={explanation} />
      {warnings.length === 0 ? null : (
        <Section title="Warnings" note="Policies in mode warn: they would have forbidden it, and do not yet.">
          <Reasons label="warnings" empty="" reasons={warnings} />
        </Section>
      )}
      {shadowed.length === 0 ? null : (
        <Section title="In the shadow" note="Policies on trial: what they would have forbidden.">
          <Reasons label="shadowed" empty="" reasons={shadowed} />
        </Section>
      )}
      <Section title="The question">
        <details>
          <summary>
            <Text size="sm" span>
              Show the request as the policies saw it
            </Text>
          </summary>
          <Code block className="exact">
            {JSON.stringify(explanation.request, null, 2)}
          </Code>
        </details>
      </Section>
    </>
  );
}
