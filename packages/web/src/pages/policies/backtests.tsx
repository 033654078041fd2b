import { Button, Progress, Select, Stack, Text, TextInput } from "@mantine/core";
import type { BacktestRow } from "@licet/contract";
import { useNavigate } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { space, useChange, useRoute } from "../../api.ts";
import { Dialog } from "../../parts/dialog.tsx";
import { PageLink } from "../../parts/links.tsx";
import { Age, ageText } from "../../parts/moments.tsx";
import { Failure, Loaded, Section } from "../../parts/states.tsx";
import { Rows, usePaging } from "../../parts/tables.tsx";
import { Digest, Word } from "../../parts/words.tsx";
import { useWho } from "../../who.ts";

export function progressText({ progress, state }: BacktestRow): string {
  const share = `${progress.done.toLocaleString()} of ${progress.total.toLocaleString()} entries`;
  if (state !== "running") return share;
  return progress.remainingSeconds === null ? share : `${share}, about ${Math.ceil(progress.remainingSeconds)} s left`;
}

export function Bar({ row }: { readonly row: BacktestRow }): ReactNode {
  const { done, total } = row.progress;
  return (
    <div>
      <Progress value={total === 0 ? 100 : (100 * done) / total} aria-label="progress" animated={row.state === "running"} />
      <Text size="xs" c="dimmed" role="status">
        {progressText(row)}
      </Text>
    </div>
  );
}

function periodText({ from, to }: BacktestRow): string {
  return `${new Date(from).toLocaleDateString()} to ${new Date(to).toLocaleString()}`;
}

const day = 86_400_000;
const periods = [
  { value: "1", label: "the last day" },
  { value: "7", label: "the last 7 days" },
  { value: "30", label: "the last 30 days" },
  { value: "365", label: "the last year" },
];

function Start({ active }: { readonly active: string | undefined }): ReactNode {
  const navigate = useNavigate();
  const start = useChange("startBacktest");
  const publications = useRoute("listPublications", { params: { space }, query: { limit: 50 } });
  const [digest, setDigest] = useState<string | null>(null);
  const [days, setDays] = useState("7");
  const [system, setSystem] = useState("");
  const bundles = [...new Map((publications.data?.items ?? []).map((row) => [row.digest, { value: row.digest, label: `${row.digest.slice(7, 19)}… published ${ageText(row.publishedAt, Date.now())}${row.digest === active ? ", active" : ""}` }])).values()];
  const begin = (): void => {
    if (digest === null) return;
    const to = Date.now();
    const body = { digest, from: to - Number(days) * day, to, ...(system.trim() === "" ? {} : { system: system.trim() }) };
    start.mutate({ params: { space }, body }, { onSuccess: ({ backtest }) => void navigate({ to: "/policies/backtests/$backtest", params: { backtest: backtest.id } }) });
  };
  return (
    <Stack gap="sm">
      <Text size="sm">
        Recorded decisions are made again with another bundle; nothing is changed. For packs that are not published yet, run <code>licet policy backtest FOLDER</code> in their repository.
      </Text>
      <Select label="Bundle" placeholder="one that was published" data={bundles} value={digest} onChange={setDigest} />
      <Select label="Decisions of" data={periods} value={days} allowDeselect={false} onChange={(value) => setDays(value ?? "7")} />
      <TextInput label="System" description="empty for all" value={system} maxLength={63} onChange={(event) => setSystem(event.currentTarget.value)} />
      {start.isError ? <Failure error={start.error} /> : null}
      <Button disabled={digest === null} loading={start.isPending} onClick={begin}>
        Start
      </Button>
    </Stack>
  );
}

export function Backtests({ active }: { readonly active: string | undefined }): ReactNode {
  const { may } = useWho();
  const [opened, setOpened] = useState(false);
  const paging = usePaging();
  const rows = useRoute("listBacktests", { params: { space }, query: { limit: 10, ...paging.query } }, { keep: true });
  const close = (): void => setOpened(false);
  return (
    <Section title="Backtests" note="What a candidate would have changed: recorded decisions, made again.">
      <Loaded query={rows}>
        {({ items, next }) => (
          <>
            <Rows
              label="backtests"
              head={["Asked", "By", "Candidate", "Decisions of", "System", "State", "Progress"]}
              empty="None yet."
              rows={items.map((row) => ({
                key: row.id,
                cells: [
                  <PageLink key="w" to="/policies/backtests/$backtest" params={{ backtest: row.id }} size="sm">
                    <Age since={row.askedAt} />
                  </PageLink>,
                  row.askedBy,
                  <Digest key="d" value={row.candidate} />,
                  periodText(row),
                  row.system ?? "all",
                  <Word key="s" value={row.state} />,
                  progressText(row),
                ],
              }))}
            />
            {paging.bar(next)}
          </>
        )}
      </Loaded>
      {may("policy.propose") ? (
        <Button w="fit-content" size="xs" variant="default" onClick={() => setOpened(true)}>
          Start a backtest
        </Button>
      ) : null}
      <Dialog opened={opened} onClose={close} title="Start a backtest">
        {opened ? <Start active={active} /> : null}
      </Dialog>
    </Section>
  );
}
