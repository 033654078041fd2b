import { Alert, Button, Group, NativeSelect, NumberInput, Stack, Text, Textarea } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { observeDaysMax, type SystemDetail, type WaiverView } from "@licet/contract";
import { useState, type ReactNode } from "react";
import { space, useChange, useRoute } from "../../api.ts";
import { Dialog } from "../../parts/dialog.tsx";
import { EntryLink } from "../../parts/entry-link.tsx";
import { PageLink } from "../../parts/links.tsx";
import { Age, Moment } from "../../parts/moments.tsx";
import { Failure, Section } from "../../parts/states.tsx";
import { Rows } from "../../parts/tables.tsx";
import { Field, Word } from "../../parts/words.tsx";
import { labelOf, tones } from "../../theme.ts";
import { useWho } from "../../who.ts";

function EndButton({ waiver }: { readonly waiver: string }): ReactNode {
  const [opened, { open, close }] = useDisclosure();
  const [reason, setReason] = useState("");
  const end = useChange("endWaiver");
  return (
    <>
      <Button variant="default" size="xs" onClick={open}>
        End it now
      </Button>
      <Dialog opened={opened} onClose={close} title="End the exception">
        <Stack>
          <Text size="sm">What is shown here as observed is refused again within a second.</Text>
          {end.isError ? <Failure error={end.error} /> : null}
          <Textarea label="Reason" required data-autofocus value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
          <Button disabled={reason.trim() === ""} loading={end.isPending} onClick={() => end.mutate({ params: { space, waiver }, body: { reason } }, { onSuccess: close })}>
            End it
          </Button>
        </Stack>
      </Dialog>
    </>
  );
}

function AskButton({ system, environments }: { readonly system: string; readonly environments: readonly string[] }): ReactNode {
  const [opened, { open, close }] = useDisclosure();
  const [environment, setEnvironment] = useState(environments[0] ?? "");
  const [days, setDays] = useState(observeDaysMax);
  const [reason, setReason] = useState("");
  const ask = useChange("requestWaiver");
  const send = (): void => ask.mutate({ params: { space, system }, body: { environment, days, reason } }, { onSuccess: () => [setReason(""), close()] });
  return (
    <>
      <Button variant="default" size="xs" w="fit-content" onClick={open}>
        Ask to observe it
      </Button>
      <Dialog opened={opened} onClose={close} title={`Observe ${system} before it is enforced`}>
        <Stack>
          <Text size="sm">Calls go on that would have been refused, each labelled with why. A risk owner has to agree.</Text>
          {ask.isError ? <Failure error={ask.error} /> : null}
          <NativeSelect label="Environment" data={[...environments]} value={environment} onChange={(event) => setEnvironment(event.currentTarget.value)} />
          <NumberInput label="Days" min={1} max={observeDaysMax} value={days} onChange={(value) => setDays(typeof value === "number" ? value : observeDaysMax)} />
          <Textarea label="Reason" required value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
          <Button disabled={reason.trim() === "" || environment === ""} loading={ask.isPending} onClick={send}>
            Ask
          </Button>
        </Stack>
      </Dialog>
    </>
  );
}

/** What would have refused calls, each reason with how many and the newest of them. */
export function WouldHaveRefused({ waiver }: { readonly waiver: WaiverView }): ReactNode {
  return (
    <Rows
      label={`would have been refused under ${waiver.id}`}
      head={["Because", "Policy", "Calls", "Last", "Newest decision"]}
      empty="No call would have been refused so far."
      rows={waiver.refused.map((row) => ({
        key: `${row.code} ${row.policy}`,
        cells: [
          <div key="c">
            <Word value={row.code} />
            <Text size="xs">{row.message}</Text>
          </div>,
          row.policy,
          String(row.calls),
          <Age key="t" since={row.lastAt} />,
          <PageLink key="d" to="/decisions/$decision" params={{ decision: row.lastDecision }} size="sm">
            the newest
          </PageLink>,
        ],
      }))}
    />
  );
}

function Observed({ waiver }: { readonly waiver: WaiverView }): ReactNode {
  const { may } = useWho();
  return (
    <Alert color={tones.wait} title={`Observed in ${waiver.environment}, not enforced`}>
      <Stack gap="xs">
        <Group justify="space-between" align="flex-start">
          <Text size="sm">
            {waiver.reason} (asked by {waiver.requestedBy}, {waiver.outcome})
          </Text>
          {may("waiver.end") ? <EndButton waiver={waiver.id} /> : null}
        </Group>
        <Field name="Ends">
          <Moment at={waiver.notAfter} />
        </Field>
        {waiver.compensation.length === 0 ? null : <Field name="Instead">{waiver.compensation.join(", ")}</Field>}
        <Text size="sm" fw={600}>
          Would have been refused
        </Text>
        <WouldHaveRefused waiver={waiver} />
      </Stack>
    </Alert>
  );
}

/** Exceptions of a system: the one in force with what it lets through, and those that are over. */
export function Waivers({ detail }: { readonly detail: SystemDetail }): ReactNode {
  const { name: system } = detail.system;
  const { may } = useWho();
  const waivers = useRoute("listWaivers", { params: { space }, query: { system, limit: 20 } });
  const items = waivers.data?.items ?? [];
  const running = items.filter((each) => each.state === "in-force");
  const over = items.filter((each) => each.state !== "in-force");
  const declared: unknown = detail.manifest["environments"];
  const environments = Array.isArray(declared) ? declared.filter((each) => typeof each === "string") : [];
  if (items.length === 0 && !may("waiver.request")) return null;
  return (
    <Section id="exceptions" title="Exceptions" note={`An existing system may be observed for ${observeDaysMax} days at most before it is enforced.`}>
      {running.map((each) => (
        <Observed key={each.id} waiver={each} />
      ))}
      {over.length === 0 ? null : (
        <Rows
          label="exceptions that are over"
          head={["State", "Environment", "From", "To", "Reason", "Record"]}
          empty=""
          rows={over.map((each) => ({
            key: each.id,
            cells: [<Word key="s" value={each.state} />, each.environment, <Age key="f" since={each.notBefore} />, <Age key="t" since={each.endedAt ?? each.notAfter} />, each.endReason ?? labelOf(each.reason), <EntryLink key="e" id={each.entry} />],
          }))}
        />
      )}
      {may("waiver.request") ? <AskButton system={system} environments={environments} /> : null}
    </Section>
  );
}
