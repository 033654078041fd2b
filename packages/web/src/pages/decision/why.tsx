import { Alert, Button, Code, Group, List, Stack, Text, Textarea } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { DecisionView, RouteAnswer } from "@licet/contract";
import { useNavigate } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { space, useChange, useRoute } from "../../api.ts";
import { Dialog } from "../../parts/dialog.tsx";
import { PageLink } from "../../parts/links.tsx";
import { Turn } from "../../parts/requirements.tsx";
import { Failure, Loaded, Section } from "../../parts/states.tsx";
import { Rows } from "../../parts/tables.tsx";
import { Digest, Field, Prose } from "../../parts/words.tsx";
import { tones } from "../../theme.ts";
import { useWho } from "../../who.ts";
import { listOf, text, textsOf, type Loose } from "./loose.ts";

type Explanation = RouteAnswer<"explainDecision">;

function OnTrial({ title, note, ids }: { readonly title: string; readonly note: string; readonly ids: unknown }): ReactNode {
  const named = textsOf(ids);
  if (named.length === 0) return null;
  return (
    <Field name={title}>
      {named.map((id) => (
        <Code key={id} mr="xs">
          {id}
        </Code>
      ))}
      <Text size="xs" c="dimmed" span>
        {note}
      </Text>
    </Field>
  );
}

function AskDialog({ why, opened, close }: { readonly why: Explanation; readonly opened: boolean; readonly close: () => void }): ReactNode {
  const [reason, setReason] = useState("");
  const ask = useChange("requestAccess");
  const navigate = useNavigate();
  const send = async (): Promise<void> => {
    // Not the callback of `mutate`: once it is asked for, this dialog is gone, and with it the callback.
    const asked = await ask.mutateAsync({ params: { space, decision: why.decision }, body: { reason } }).catch(() => undefined);
    if (asked !== undefined) await navigate({ to: "/requests/$request", params: { request: asked.request.id } });
  };
  return (
    <Dialog opened={opened} onClose={close} title={`Ask to ${why.request?.title ?? "open the way"}`}>
      <Stack>
        <Text size="sm">This opens the same request as elsewhere in the console: whoever has to agree finds it in their queue. The refused call itself is not repeated.</Text>
        {ask.isError ? <Failure error={ask.error} /> : null}
        <Textarea label="Reason" description="For whoever answers" required data-autofocus value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        <Button disabled={reason.trim() === ""} loading={ask.isPending} onClick={() => void send()}>
          Ask
        </Button>
      </Stack>
    </Dialog>
  );
}

function Access({ why }: { readonly why: Explanation }): ReactNode {
  const [opened, { open, close }] = useDisclosure();
  if (why.request === null) return null;
  if (why.open !== null) {
    return (
      <Text size="sm">
        It is asked for already: <PageLink to="/requests/$request" params={{ request: why.open }} size="sm">{why.request.title}</PageLink>.
      </Text>
    );
  }
  if (!why.mayRequest) return <Text size="sm">Somebody with another role than yours can ask to {why.request.title}.</Text>;
  return (
    <>
      <Button w="fit-content" onClick={open} color={tones.info}>
        Request access…
      </Button>
      <AskDialog why={why} opened={opened} close={close} />
    </>
  );
}

function Checks({ why }: { readonly why: Explanation }): ReactNode {
  return (
    <Rows
      label="reasons"
      head={["Check", "What it demands", "What to do"]}
      empty="Nothing is named."
      rows={why.checks.map((check, at) => ({
        key: `${at} ${check.policy}`,
        cells: [
          <div key="p">
            <Code style={{ overflowWrap: "anywhere" }}>{check.policy}</Code>
            {check.component === null ? null : <Text size="xs">{check.component}</Text>}
          </div>,
          check.title ?? "",
          check.remedy === null ? null : <Prose key="r">{check.remedy}</Prose>,
        ],
      }))}
    />
  );
}

function Refused({ why }: { readonly why: Explanation }): ReactNode {
  const { email } = useWho();
  return (
    <>
      <Text>
        <b>{why.what.charAt(0).toUpperCase() + why.what.slice(1)}</b>
        {why.why === "" ? "." : `: ${why.why}.`}
      </Text>
      {why.stillSo === false ? (
        <Alert color={tones.good} title="What refused it no longer stands" role="status">
          The call can be made again.
        </Alert>
      ) : null}
      <Checks why={why} />
      {why.turn === "" ? null : (
        <Field name="Turn">
          <Turn turn={why.turn} people={why.people} me={email} />
        </Field>
      )}
      {why.steps.length === 0 ? null : (
        <Field name="What to do">
          <List type="ordered" size="sm">
            {why.steps.map((step) => (
              <List.Item key={step}>
                <Prose>{step}</Prose>
              </List.Item>
            ))}
          </List>
        </Field>
      )}
      <Access why={why} />
    </>
  );
}

function Allowed({ decision, detail }: { readonly decision: DecisionView; readonly detail: Loose }): ReactNode {
  const observed = listOf(detail["observed"]);
  return (
    <>
      {observed.length === 0 ? null : (
        <Alert color={tones.wait} title="Let through under a waiver: it would have been refused">
          <List size="sm">
            {observed.map((reason, at) => (
              <List.Item key={`${at} ${text(reason["policy"])}`}>
                <Code>{text(reason["code"])}</Code> <Prose>{text(reason["message"])}</Prose>
              </List.Item>
            ))}
          </List>
        </Alert>
      )}
      <Rows label="reasons" head={["Policy"]} empty="No policy is named." rows={decision.reasons.map((reason) => ({ key: reason.policy, cells: [<Code key="p">{reason.policy}</Code>] }))} />
    </>
  );
}

/** Which check, by which policy, what opens the way, and whose turn it is. */
export function Why({ decision, detail }: { readonly decision: DecisionView; readonly detail: Loose }): ReactNode {
  const why = useRoute("explainDecision", { params: { space, decision: decision.id } });
  const errors = textsOf(detail["policyErrors"]);
  return (
    <Section title="Why" note="The checks that decided, and what opens the way.">
      <Loaded query={why}>{(data) => (data.code === null ? <Allowed decision={decision} detail={detail} /> : <Refused why={data} />)}</Loaded>
      {errors.length === 0 ? null : (
        <Alert color={tones.bad} title="A policy could not be evaluated, so the call was refused">
          {errors.join("; ")}
        </Alert>
      )}
      <OnTrial title="Warned" note="will refuse such a call once they are enforced" ids={detail["warnings"]} />
      <OnTrial title="In the shadow" note="on trial: would have refused it" ids={detail["shadowed"]} />
      {typeof detail["policyBundle"] === "string" ? (
        <Group gap="sm">
          <Field name="Policies">
            <Digest value={detail["policyBundle"]} />
          </Field>
          <PageLink to="/policies/playground" search={{ decision: decision.id }} size="sm">
            decide it again, and see what would have to hold
          </PageLink>
        </Group>
      ) : null}
    </Section>
  );
}
