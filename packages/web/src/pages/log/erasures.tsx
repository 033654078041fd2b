import { Button, Group, Select, Stack, Text, Textarea, TextInput } from "@mantine/core";
import type { ErasureAsked, ErasureView } from "@licet/contract";
import { useState, type ReactNode } from "react";
import { space, useChange, useRoute } from "../../api.ts";
import { Dialog } from "../../parts/dialog.tsx";
import { EntryLink } from "../../parts/entry-link.tsx";
import { PageLink } from "../../parts/links.tsx";
import { Age } from "../../parts/moments.tsx";
import { Failure, Loaded, Section } from "../../parts/states.tsx";
import { Rows, usePaging } from "../../parts/tables.tsx";
import { Word } from "../../parts/words.tsx";
import { tones } from "../../theme.ts";
import { useWho } from "../../who.ts";

function targetText({ target }: ErasureView): string {
  if (target.kind === "person") return `person ${target.person}`;
  if (target.kind === "user") return "an end user's content";
  if (target.kind === "system") return `${target.class} of system ${target.system}`;
  return `${target.class} whose time was over`;
}

function List(): ReactNode {
  const paging = usePaging();
  const erasures = useRoute("listErasures", { params: { space }, query: { limit: 10, ...paging.query } }, { keep: true });
  return (
    <Loaded query={erasures}>
      {({ items, next }) => (
        <>
          <Rows
            label="erasures"
            head={["What", "Why", "State", "Keys", "Entries", "Asked by", "When", "Record"]}
            empty="Nothing has been erased."
            rows={items.map((row) => ({
              key: row.id,
              cells: [targetText(row), row.basis, <Word key="s" value={row.state} />, String(row.keys), String(row.entries), row.requestedBy, <Age key="t" since={row.doneAt ?? row.intendedAt} />, <EntryLink key="e" id={row.entry} />],
            }))}
          />
          {paging.bar(next)}
        </>
      )}
    </Loaded>
  );
}

const targets = [
  { value: "user", label: "an end user, as programs name them" },
  { value: "person", label: "a person of this organisation, by id" },
  { value: "content", label: "a system's prompts and answers" },
  { value: "runtime", label: "a system's decisions and outcomes" },
] as const;
type Target = (typeof targets)[number]["value"];

function asked(target: Target, name: string): ErasureAsked {
  if (target === "user" || target === "person") return { [target]: name };
  return { system: name, class: target };
}

function isTarget(value: string | null): value is Target {
  return targets.some((target) => target.value === value);
}

function Ask({ done }: { readonly done: () => void }): ReactNode {
  const [target, setTarget] = useState<Target>("user");
  const [name, setName] = useState("");
  const [basis, setBasis] = useState("");
  const preview = useChange("previewErasure");
  const ask = useChange("requestErasure");
  const chosen = asked(target, name.trim());
  const changed = (set: () => void): void => {
    set();
    preview.reset();
    ask.reset();
  };
  if (ask.data !== undefined) {
    return (
      <Stack gap="sm">
        <Text size="sm">{ask.data.done ? "Erased. The record says that you acted as sole operator." : "Asked. Nothing is erased until another person approves."}</Text>
        <PageLink to="/requests/$request" params={{ request: ask.data.request.id }} size="sm">
          the request
        </PageLink>
        <Button onClick={done}>Close</Button>
      </Stack>
    );
  }
  return (
    <Stack gap="sm">
      <Select label="Whose content" data={[...targets]} value={target} allowDeselect={false} onChange={(value) => changed(() => isTarget(value) && setTarget(value))} />
      <TextInput label={target === "content" || target === "runtime" ? "System" : "Id"} value={name} maxLength={256} onChange={(event) => { const { value } = event.currentTarget; changed(() => setName(value)); }} />
      <Textarea label="Why" description="Kept for good: name the rule or the ticket, nobody by name" value={basis} maxLength={2000} onChange={(event) => setBasis(event.currentTarget.value)} autosize minRows={2} />
      {preview.data === undefined ? null : (
        <Text size="sm" role="status">
          It would destroy {preview.data.keys} keys, and {preview.data.entries} entries could never be opened again. This cannot be undone.
        </Text>
      )}
      {preview.isError ? <Failure error={preview.error} /> : null}
      {ask.isError ? <Failure error={ask.error} /> : null}
      <Group>
        <Button variant="default" disabled={name.trim() === ""} loading={preview.isPending} onClick={() => preview.mutate({ params: { space }, body: chosen })}>
          See what it touches
        </Button>
        <Button color={tones.bad} disabled={preview.data === undefined || preview.data.keys === 0 || basis.trim() === ""} loading={ask.isPending} onClick={() => ask.mutate({ params: { space }, body: { ...chosen, basis: basis.trim() } })}>
          Ask for the erasure
        </Button>
      </Group>
    </Stack>
  );
}

export function Erasures(): ReactNode {
  const { may } = useWho();
  const [opened, setOpened] = useState(false);
  if (!may("privacy.read")) return null;
  const close = (): void => setOpened(false);
  return (
    <Section title="Erasures" note="On request or by schedule: keys destroyed, and the destruction recorded. The log still verifies.">
      <List />
      {may("privacy.manage") ? (
        <Button w="fit-content" size="xs" variant="default" onClick={() => setOpened(true)}>
          Ask for an erasure
        </Button>
      ) : null}
      <Dialog opened={opened} onClose={close} title="Ask for an erasure">
        {opened ? <Ask done={close} /> : null}
      </Dialog>
    </Section>
  );
}
